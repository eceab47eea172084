// What is drawn otherwise than people walk it now: such cards wear a dot, so that nobody hands in what they did not mean.

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {{nodes: any[], edges: any[]}} Published the live version's document
 */

/** The same words whatever the order of their names. @param {any} value @returns {string} */
const words = (value) => JSON.stringify(value, (_name, one) => (
  one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one
));

/** @param {any} step @param {[string, string][]} ways where its ports lead */
const meaning = (step, ways) => words([step.type, step.settings ?? {}, step.name ?? "", ways.sort(([a], [b]) => (a < b ? -1 : 1))]);

/** @param {Editor} editor @param {import("./view.js").View} view @param {Published} published */
export function attachSince(editor, view, published) {
  /** @type {Map<string, [string, string][]>} */
  const ways = new Map();
  for (const { from, port, to } of published.edges ?? []) ways.set(from, [...(ways.get(from) ?? []), [port, to]]);
  const known = new Map(published.nodes.map((step) => [step.id, meaning(step, ways.get(step.id) ?? [])]));
  const look = (/** @type {Iterable<string>} */ ids) => {
    for (const id of ids) {
      const step = editor.flow.steps.get(id);
      if (!step) continue;
      const now = meaning(step, editor.flow.wiresFrom(id).map(({ port, to }) => [port, to]));
      view.mark(id, "unpublished", known.get(id) !== now);
    }
  };
  look(editor.flow.steps.keys());
  editor.on("load", () => look(editor.flow.steps.keys()));
  editor.on("change", ({ touched }) => {
    const wires = [.../** @type {Set<string>} */ (touched.wires)].map((key) => key.slice(0, key.indexOf(" ")));
    look(new Set([...touched.nodes, ...wires]));
  });
}
