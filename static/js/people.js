// Lists with filters: a choice is asked for at once; the fields of a period of one's own show when they are needed.
const forms = /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-submits]"));

/** @param {HTMLFormElement} form */
function settle(form) {
  const period = /** @type {HTMLSelectElement | null} */ (form.querySelector("[data-period]"));
  const own = /** @type {HTMLElement | null} */ (form.querySelector("[data-custom]"));
  if (!period || !own) return true;
  const chosen = period.value === "custom";
  own.hidden = !chosen;
  const fields = /** @type {HTMLInputElement[]} */ ([...own.querySelectorAll("input")]);
  for (const field of fields) field.disabled = !chosen;
  return !chosen || fields.some((field) => field.value);
}

/** Empty fields need not stand in the address. @param {HTMLFormElement} form */
function go(form) {
  const chosen = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) chosen.append(name, value);
  location.assign(`${form.action}?${chosen}`);
}

for (const form of forms) {
  form.addEventListener("change", (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    // Another step has other ways out: what was chosen of the old one means nothing there.
    if (field.name === "node") /** @type {HTMLSelectElement | null} */ (form.querySelector('[name="status"]'))?.setAttribute("disabled", "");
    if (settle(form)) go(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(form);
  });
}
