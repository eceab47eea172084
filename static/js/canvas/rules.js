// Whether a wire may be drawn, and if not, why; the server checks it again.

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {"itself" | "entry" | "loop" | "exit"} Refusal
 */

/** Whether people rest at a step, so that a loop through it does not spin. @param {Editor} editor @param {string} id */
export function waits(editor, id) {
  const step = editor.flow.steps.get(id);
  return Boolean(step && (step.type.startsWith("wait.") || step.settings?.wait_for));
}

/**
 * Checks many targets for one port: who comes to `from` without ever resting is looked up once.
 * @param {Editor} editor @param {string} from
 * @returns {(to: string) => Refusal | null}
 */
export function refusals(editor, from) {
  const restless = new Set();
  const open = waits(editor, from) ? [] : [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (restless.has(id)) continue;
    restless.add(id);
    for (const wire of editor.flow.wiresTo(id)) if (!waits(editor, wire.from)) open.push(wire.from);
  }
  return (to) => {
    if (to === from) return "itself";
    if (editor.types[editor.flow.steps.get(to)?.type ?? ""]?.is_entry) return "entry";
    return restless.has(to) ? "loop" : null;
  };
}

/**
 * Checks many beginnings for one step that is led to: where one comes from it without ever resting is looked up once.
 * @param {Editor} editor @param {string} to
 * @returns {(from: string) => Refusal | null}
 */
export function beginnings(editor, to) {
  const restless = new Set();
  const open = waits(editor, to) ? [] : [to];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (restless.has(id)) continue;
    restless.add(id);
    for (const wire of editor.flow.wiresFrom(id)) if (!waits(editor, wire.to)) open.push(wire.to);
  }
  return (from) => {
    if (to === from) return "itself";
    if (!editor.portsOf(from).length) return "exit";
    return restless.has(from) ? "loop" : null;
  };
}
