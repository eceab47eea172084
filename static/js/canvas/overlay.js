// What is laid over the journey: a comparison, heat, one person's path; it changes looks, never the journey.

/**
 * @typedef {{className?: string, label?: string}} CardLook
 * @typedef {{className?: string, width?: number}} WireLook
 * @typedef {{id: string, type: string, title: string, summary?: string, x?: number, y?: number}} Ghost
 * @typedef {{nodes: Record<string, {state: "added" | "changed", label?: string}>, wires?: Record<string, "added" | "changed">,
 *   ghosts?: Ghost[], ghostWires?: {from: string, port: string, to: string}[]}} DiffData
 * @typedef {{by: "volume" | "loss", nodes?: Record<string, number>, wires?: Record<string, number>}} HeatData
 * @typedef {{steps: string[], wires?: string[], current?: string | null, labels?: Record<string, string>}} PathData
 * @typedef {{name: string | null, ghosts: Ghost[], ghostWires: {from: string, port: string, to: string}[],
 *   card: (id: string) => CardLook | null, wire: (key: string) => WireLook | null}} Overlay
 * @typedef {{nodes: Record<string, any>, ports: Record<string, number>}} Counters
 */

/** Heat comes in steps, so that each has a class and a colour that was looked at. */
const HEAT_STEPS = 5;
const WIDEST = 9;

/** @type {Overlay} */
export const NONE = { name: null, ghosts: [], ghostWires: [], card: () => null, wire: () => null };

/**
 * @param {string | null} name @param {any} data @param {Counters} counters
 * @returns {Overlay}
 */
export function overlayFor(name, data, counters) {
  if (name === "diff") return diff(data);
  if (name === "heat") return heat(data, counters);
  if (name === "path") return path(data);
  return NONE;
}

/** @param {DiffData} data @returns {Overlay} */
function diff({ nodes, wires = {}, ghosts = [], ghostWires = [] }) {
  return {
    name: "diff", ghosts, ghostWires,
    card: (id) => (nodes[id] ? { className: `is-${nodes[id].state}`, label: nodes[id].label } : null),
    wire: (key) => (wires[key] ? { className: `is-${wires[key]}` } : null),
  };
}

/** @param {HeatData} data @param {Counters} counters @returns {Overlay} */
function heat({ by, nodes, wires }, counters) {
  const warmth = nodes ?? warmthOf(counters, by);
  const most = Math.max(1, ...Object.values(counters.ports));
  const volume = wires ?? Object.fromEntries(Object.entries(counters.ports).map(([key, count]) => [key, count / most]));
  return {
    name: "heat", ghosts: [], ghostWires: [],
    card: (id) => ({ className: `heat heat-${by} heat-${stepOf(warmth[id] ?? 0)}` }),
    wire: (key) => ({ className: volume[key] ? "flowing" : "dry", width: 1.25 + (WIDEST - 1.25) * Math.sqrt(volume[key] ?? 0) }),
  };
}

/**
 * How warm each step is, from 0 to 1: by how many came, or by the share of them who left the journey there.
 * @param {Counters} counters @param {"volume" | "loss"} by
 */
export function warmthOf(counters, by) {
  const value = (/** @type {any} */ one) => (by === "volume" ? one.entered ?? 0 : (one.left ?? 0) / Math.max(1, one.entered ?? 0));
  const values = Object.entries(counters.nodes).map(([id, one]) => /** @type {[string, number]} */ ([id, value(one)]));
  const most = Math.max(by === "volume" ? 1 : 0.0001, ...values.map(([, warm]) => warm));
  return Object.fromEntries(values.map(([id, warm]) => [id, warm / most]));
}

/** @param {number} warm from 0 to 1 */
export const stepOf = (warm) => Math.min(HEAT_STEPS, Math.max(0, Math.ceil(warm * HEAT_STEPS)));

/** @param {PathData} data @returns {Overlay} */
function path({ steps, wires = [], current = null, labels = {} }) {
  const [walked, used] = [new Set(steps), new Set(wires)];
  return {
    name: "path", ghosts: [], ghostWires: [],
    card: (id) => (walked.has(id) ? { className: id === current ? "is-walked is-current" : "is-walked", label: labels[id] } : null),
    wire: (key) => (used.has(key) ? { className: "is-walked" } : null),
  };
}
