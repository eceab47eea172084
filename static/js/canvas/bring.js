// Scripts that come late, and the keys pressed meanwhile: they wait, and go where the focus is then. No key is ever
// taken for a deed of the canvas because a script was slow.

const PATIENCE_MS = 2000;
const ALONE = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Process", "Dead"]);

let waiting = 0;
/** @type {KeyboardEvent[]} */
let held = [];

/** Escape is never held: it takes back what was asked for, and drops what was typed for it. @param {KeyboardEvent} event */
function hold(event) {
  if (!waiting || !event.isTrusted || event.isComposing || ALONE.has(event.key)) return;
  if (event.key === "Escape") {
    held = [];
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  held.push(event);
}

addEventListener("keydown", hold, { capture: true });
addEventListener("pointerdown", () => { held = []; }, { capture: true });

/** Presses the keys that waited, one after the other, until one of them asks for something late again. */
function press() {
  while (held.length && !waiting) {
    const event = /** @type {KeyboardEvent} */ (held.shift());
    const target = document.activeElement ?? document.body;
    const { key, code, ctrlKey, shiftKey, altKey, metaKey } = event;
    const again = new KeyboardEvent("keydown", { key, code, ctrlKey, shiftKey, altKey, metaKey, bubbles: true, cancelable: true });
    if (target.dispatchEvent(again) && !ctrlKey && !metaKey) write(target, key);
  }
}

/** What a key that nobody took does in a field. @param {Element} target @param {string} key */
function write(target, key) {
  if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) return;
  // The one way to type that fields, their undo and their listeners take for typing.
  if (key.length === 1) document.execCommand("insertText", false, key);
  else if (key === "Backspace") document.execCommand("delete");
}

/**
 * Does what takes a moment; keys pressed until it is done go to whatever has the focus then.
 * @template T
 * @param {() => Promise<T> | T} act @returns {Promise<T>}
 */
export async function keysWait(act) {
  waiting += 1;
  let open = true;
  const done = () => {
    if (!open) return;
    open = false;
    waiting -= 1;
    clearTimeout(patience);
    if (!waiting) press();
  };
  const patience = setTimeout(() => {
    held = []; // what was meant for something that does not come is meant for nothing else
    done();
  }, PATIENCE_MS);
  try {
    return await act();
  } finally {
    done();
  }
}

/** Asks for scripts once the page has nothing better to do, so that they are there when they are wanted.
 * @param {(() => Promise<any>)[]} scripts */
export function whenIdle(scripts) {
  const next = () => {
    const script = scripts.shift();
    if (script) script().then(soon, soon); // one that does not come now is asked for again when it is wanted
  };
  const soon = () => ("requestIdleCallback" in window ? requestIdleCallback(next, { timeout: 3000 }) : setTimeout(next, 200));
  soon();
}
