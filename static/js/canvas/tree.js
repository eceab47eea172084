// The journey as a graph to lay out, in the order people read it; and a plain layout for when no worker answers.

import { CARD } from "./geometry.js";

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{nodes: {id: string, width: number, height: number}[], edges: [string, string][],
 *   gapX: number, gapY: number}} Graph
 */

export const GAP = { x: 88, y: 40 };

/**
 * Steps and wires depth first from the entries, port by port: the layout keeps this order, so the first port's branch
 * lies on top and one step more does not shuffle the rest.
 * @param {Editor} editor @param {Iterable<string>} ids @returns {Graph}
 */
export function readingOrder(editor, ids) {
  const { flow } = editor;
  const inside = new Set([...ids].filter((id) => flow.steps.has(id)));
  /** @type {Graph} */
  const graph = { nodes: [], edges: [], gapX: GAP.x, gapY: GAP.y };
  const seen = new Set();
  const visit = (/** @type {string} */ root) => {
    const open = [root];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const { width, height } = editor.rectOf(id);
      graph.nodes.push({ id, width, height });
      const next = editor.portsOf(id).map((port) => flow.wireAt(id, port.name)?.to ?? "").filter((to) => inside.has(to) && to !== id);
      for (const to of next) graph.edges.push([id, to]);
      open.push(...next.reverse());
    }
  };
  const isRoot = (/** @type {string} */ id) => !flow.wiresTo(id).some((wire) => wire.from !== id && inside.has(wire.from));
  const entries = [...inside].filter((id) => editor.types[flow.steps.get(id)?.type ?? ""]?.is_entry);
  const roots = [...inside].filter((id) => isRoot(id) && !entries.includes(id));
  for (const id of [...entries, ...roots, ...inside]) visit(id);
  return graph;
}

/** Columns by distance from the start, one under the other. @param {Graph} graph @returns {[string, number, number][]} */
export function columns({ nodes, edges }) {
  const rank = new Map(nodes.map(({ id }) => [id, 0]));
  const order = new Map(nodes.map(({ id }, place) => [id, place]));
  for (const { id } of nodes) {
    for (const [from, to] of edges) {
      const forward = from === id && /** @type {number} */ (order.get(to)) > /** @type {number} */ (order.get(from));
      if (forward) rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(id) ?? 0) + 1));
    }
  }
  /** @type {Map<number, number>} */
  const down = new Map();
  return nodes.map(({ id, height }) => {
    const column = rank.get(id) ?? 0;
    const y = down.get(column) ?? 0;
    down.set(column, y + height + GAP.y);
    return [id, column * (CARD.width + GAP.x), y];
  });
}
