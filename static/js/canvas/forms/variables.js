// The picker of variables: puts one at the caret of the field it was opened for.

/** @type {HTMLInputElement | HTMLTextAreaElement | null} */
let field = null;

const picker = () => document.getElementById("variables");

/** @param {HTMLElement} opener */
export function onVariables(opener) {
  const target = document.getElementById(opener.dataset.variables ?? "");
  const list = picker();
  if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) || !list) return;
  field = target;
  const place = opener.getBoundingClientRect();
  list.showPopover();
  const height = list.offsetHeight;
  const below = place.bottom + height + 8 < innerHeight;
  list.style.setProperty("top", `${below ? place.bottom + 4 : Math.max(8, place.top - height - 4)}px`);
  list.style.setProperty("left", `${Math.max(8, Math.min(place.left, innerWidth - list.offsetWidth - 8))}px`);
  const find = list.querySelector("[data-find]");
  if (find instanceof HTMLInputElement) {
    find.value = "";
    filter(list, "");
    find.oninput = () => filter(list, find.value);
    find.focus();
  }
}

/** @param {HTMLElement} list @param {string} text */
function filter(list, text) {
  const wanted = text.trim().toLowerCase();
  for (const row of list.querySelectorAll("li")) row.hidden = !row.textContent?.toLowerCase().includes(wanted);
}

/** @param {HTMLElement} choice */
export function onInsert(choice) {
  const text = choice.dataset.insert ?? "";
  picker()?.hidePopover();
  if (!field?.isConnected) return;
  field.focus();
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
