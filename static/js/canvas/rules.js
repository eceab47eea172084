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
  const before = restless(editor, from, (id) => editor.flow.wiresTo(id).map((wire) => wire.from));
  return (to) => {
    if (to === from) return "itself";
    if (editor.types[editor.flow.steps.get(to)?.type ?? ""]?.is_entry) return "entry";
    return before.has(to) ? "loop" : null;
  };
}

/**
 * Checks many beginnings for one step that is led to: where one comes from it without ever resting is looked up once.
 * @param {Editor} editor @param {string} to
 * @returns {(from: string) => Refusal | null}
 */
export function beginnings(editor, to) {
  const after = restless(editor, to, (id) => editor.flow.wiresFrom(id).map((wire) => wire.to));
  return (from) => {
    if (to === from) return "itself";
    if (!editor.portsOf(from).length) return "exit";
    return after.has(from) ? "loop" : null;
  };
}

/**
 * A step and all that is reached from it without ever resting.
 * @param {Editor} editor @param {string} start @param {(id: string) => string[]} next
 * @returns {Set<string>}
 */
function restless(editor, start, next) {
  const found = new Set(waits(editor, start) ? [] : [start]);
  for (const id of found) for (const one of next(id)) if (!waits(editor, one)) found.add(one);
  return found;
}
