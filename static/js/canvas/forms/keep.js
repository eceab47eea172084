// A form that is drawn anew keeps where one was, and what was typed while the answer was on its way.

/** @typedef {{asked: Map<string, string>, name: string, start: number | null, end: number | null, typed: Map<string, string>, noted: boolean}} Kept */

/** @type {Kept | null} */
let kept = null;

/** @param {HTMLFormElement} form @returns {Map<string, string>} */
const texts = (form) => new Map([...new FormData(form)].map(([name, value]) => [name, String(value)]));

/** @param {HTMLFormElement} form */
export function remember(form) {
  kept = { asked: texts(form), name: "", start: null, end: null, typed: new Map(), noted: false };
}

/** Just before the old form goes. @param {HTMLFormElement} form */
export function note(form) {
  if (!kept) return;
  const { asked, typed } = kept;
  kept.noted = true;
  for (const [name, text] of texts(form)) if (asked.get(name) !== text) typed.set(name, text);
  const here = document.activeElement;
  if (!(here instanceof HTMLInputElement || here instanceof HTMLTextAreaElement || here instanceof HTMLSelectElement)) return;
  if (!form.contains(here)) return;
  kept.name = here.name;
  if (!(here instanceof HTMLSelectElement) && here.selectionStart !== null) {
    kept.start = here.selectionStart;
    kept.end = here.selectionEnd;
  }
}

/** When the new one stands; says whether there was one to remember. @param {HTMLFormElement} form @returns {boolean} */
export function restore(form) {
  if (!kept?.noted) return false;
  const { name, start, end, typed } = kept;
  kept = null;
  for (const [field, text] of typed) {
    const control = form.elements.namedItem(field);
    if (control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) control.value = text;
  }
  const control = name ? form.elements.namedItem(name) : null;
  if (control instanceof HTMLElement) control.focus({ preventScroll: true });
  if (start !== null && (control instanceof HTMLTextAreaElement || control instanceof HTMLInputElement)) control.setSelectionRange(start, end);
  return true;
}
