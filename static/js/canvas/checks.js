// What the shape of a journey alone says is wrong, at once and without the server; never looks into settings.

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {{node: string | null, field: string | null, code: string, severity: "error" | "warning", port?: string}} Finding
 */

/** Codes this page finds itself; the server finds them too, and its word replaces ours. */
export const SHAPE = new Set(["entry.missing", "node.unreachable", "port.open", "cycle.no_wait"]);

/** @param {Editor} editor @returns {Finding[]} */
export function findings(editor) {
  const { flow } = editor;
  const entries = [...flow.steps.values()].filter((step) => typeOf(editor, step.id)?.is_entry).map((step) => step.id);
  /** @type {Finding[]} */
  const found = [];
  if (!entries.length) found.push({ node: null, field: null, code: "entry.missing", severity: "error" });
  const reached = reach(editor, entries);
  for (const step of flow.steps.values()) {
    if (entries.length && !reached.has(step.id)) {
      found.push({ node: step.id, field: null, code: "node.unreachable", severity: "error" });
    }
    for (const port of editor.portsOf(step.id)) {
      const open = !port.gone && !flow.wireAt(step.id, port.name) && !(port.name in jumps(editor, step.id));
      if (open && !typeOf(editor, step.id)?.jumps) {
        found.push({ node: step.id, field: port.name, code: "port.open", severity: "warning", port: port.label || port.name });
      }
    }
  }
  for (const ring of restlessRings(editor)) found.push({
    node: ring[0], field: null, code: "cycle.no_wait", severity: "error",
  });
  return found;
}

/** @param {Editor} editor @param {string} id @returns {any} */
const typeOf = (editor, id) => editor.types[editor.flow.steps.get(id)?.type ?? ""];

/** @param {Editor} editor @param {string} id @returns {Record<string, string>} */
const jumps = (editor, id) => /** @type {any} */ (editor.facets.get(id))?.jumps ?? {};

/** @param {Editor} editor @param {string} id */
const next = (editor, id) => [...editor.flow.wiresFrom(id).map((wire) => wire.to), ...Object.values(jumps(editor, id))]
  .filter((to) => editor.flow.steps.has(to));

/** @param {Editor} editor @param {string[]} starts */
function reach(editor, starts) {
  const seen = new Set(starts);
  for (const id of seen) for (const to of next(editor, id)) seen.add(to);
  return seen;
}

/**
 * Circles in which nobody ever rests, each as the ids of its steps (Tarjan, without calling itself).
 * @param {Editor} editor @returns {string[][]}
 */
function restlessRings(editor) {
  const restless = (/** @type {string} */ id) => !(typeOf(editor, id)?.waits ?? true);
  const ways = new Map([...editor.flow.steps.keys()].filter(restless).map((id) => [id, next(editor, id).filter(restless)]));
  /** @type {Map<string, {index: number, low: number, on: boolean}>} */
  const marks = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const rings = [];
  const enter = (/** @type {string} */ id) => {
    marks.set(id, { index: marks.size, low: marks.size, on: true });
    stack.push(id);
    return { id, rest: [...(ways.get(id) ?? [])] };
  };
  for (const root of ways.keys()) {
    const path = marks.has(root) ? [] : [enter(root)];
    while (path.length) {
      const { id, rest } = path[path.length - 1];
      const mark = /** @type {any} */ (marks.get(id));
      const to = rest.pop();
      if (to !== undefined) {
        const other = marks.get(to);
        if (!other) path.push(enter(to));
        else if (other.on) mark.low = Math.min(mark.low, other.index);
        continue;
      }
      path.pop();
      const above = path[path.length - 1];
      if (above) {
        const parent = /** @type {any} */ (marks.get(above.id));
        parent.low = Math.min(parent.low, mark.low);
      }
      if (mark.low === mark.index) close(id);
    }
  }
  return rings;

  /** @param {string} id */
  function close(id) {
    const ring = stack.splice(stack.indexOf(id));
    for (const one of ring) /** @type {any} */ (marks.get(one)).on = false;
    if (ring.length > 1 || ways.get(id)?.includes(id)) rings.push(ring);
  }
}
