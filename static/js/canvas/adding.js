// Adding a step, from wherever one asks for it: palette, quick-add, keys, list. One way, so that all behave alike.

import { _ } from "../i18n.js";
import { center } from "./geometry.js";
import { addition, allowed, freePort } from "./insert.js";

/**
 * @typedef {import("./insert.js").Place} Place
 * @typedef {import("./main.js").Canvas} Canvas
 * @typedef {import("./popup.js").Picker} Picker
 * @typedef {{x: number, y: number}} Point
 * @typedef {{add: (type: string, place: Place, options?: {open?: boolean, focus?: boolean}) => string | null,
 *   ask: (place: Place, client: Point, options?: {onClose?: (picked: boolean) => void}) => void,
 *   besideSelected: () => Place}} Adding
 */

const FIRST_CHOICES = ["send.email", "wait.duration", "condition", "wait.event", "exit"];
const FAVOURITES = 5;

/**
 * @param {Canvas} canvas @param {Picker} picker
 * @returns {Adding}
 */
export function adding(canvas, picker) {
  const { editor, view, data } = canvas;
  const liked = favourites(`canvas favourites ${data.user?.id ?? ""}`);

  /** @type {Adding["add"]} */
  const add = (type, place, { open = true, focus = true } = {}) => {
    const { id, ops } = addition(editor, type, place);
    const title = editor.types[type]?.title ?? type;
    if (!editor.commit(_("Add %(step)s", { step: title }), ops, { select: [id] })) return null;
    liked.use(type);
    view.flush();
    editor.reveal(id, { focus });
    editor.emit("announce", { text: _("%(step)s added", { step: title }) });
    if (open) editor.emit("open", { id, fresh: true });
    return id;
  };

  /** @type {Adding["ask"]} */
  const ask = (place, client, { onClose } = {}) => {
    const types = allowed(editor, place);
    const top = liked.list().filter((type) => types.includes(type)).slice(0, FAVOURITES);
    const item = (/** @type {string} */ type, /** @type {string} */ group) => {
      const known = /** @type {any} */ (editor.types[type]);
      return {
        key: type, title: known.title, hint: known.help, type, hue: view.hueOf(type), group,
        search: [known.title, known.searchable ?? "", known.group_title],
      };
    };
    picker.open({
      at: client,
      label: _("Add a step"),
      placeholder: _("Which step?"),
      items: [
        ...top.map((type) => item(type, _("Used often"))),
        ...types.filter((type) => !top.includes(type)).map((type) => item(
          type, /** @type {any} */ (editor.types[type]).group_title,
        )),
      ],
      foot: _("Enter adds · Ctrl Enter adds and goes on"),
      onClose,
      onPick: ({ key }, { chain }) => {
        const id = add(key, place, { open: !chain });
        const port = id && chain ? freePort(editor, id) : null;
        if (id && port) ask({ after: { id, port } }, beside(canvas, id));
      },
    });
  };

  return { add, ask, besideSelected: () => besideSelected(canvas) };
}

/**
 * Where a step goes that is only clicked: behind the selected one, onto the selected wire, else into the middle of the view.
 * @param {Canvas} canvas @returns {Place}
 */
function besideSelected({ editor, viewport }) {
  const [key] = editor.selection;
  if (editor.selection.size === 1 && editor.flow.wires.has(key)) return { on: key };
  const [id] = editor.selectedSteps().slice(-1);
  const port = id ? freePort(editor, id) : null;
  if (id && port) return { after: { id, port } };
  if (!editor.flow.steps.size) return {};
  const middle = center(viewport.visible());
  const loose = [...editor.flow.steps.keys()].filter((one) => freePort(editor, one));
  // With one open end in the whole journey there is no doubt where the next step goes.
  if (loose.length === 1 && !id) return { after: { id: loose[0], port: /** @type {string} */ (freePort(editor, loose[0])) } };
  return { at: { x: middle.x - 112, y: middle.y - 44 } };
}

/** The place of a card in the browser's window, right of it. @param {Canvas} canvas @param {string} id @returns {Point} */
export function beside({ editor, viewport }, id) {
  const rect = editor.rectOf(id);
  const at = viewport.toScreen({ x: rect.x + rect.width + 16, y: rect.y });
  return { x: at.x + viewport.left, y: at.y + viewport.top };
}

/** What this person adds most. @param {string} name */
function favourites(name) {
  /** @returns {Record<string, number>} */
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "{}");
    } catch {
      return {};
    }
  };
  return {
    list: () => {
      const used = read();
      const known = Object.keys(used).sort((one, other) => used[other] - used[one]);
      return [...new Set([...known, ...FIRST_CHOICES])];
    },
    use: (/** @type {string} */ type) => {
      const used = read();
      used[type] = (used[type] ?? 0) + 1;
      // Without storage the list stays as it was.
      try { localStorage.setItem(name, JSON.stringify(used)); } catch { /* see above */ }
    },
  };
}
