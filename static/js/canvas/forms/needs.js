// A field that says something only beside another is shown only then. The server drops what is not needed; this hides it.

/** @param {ParentNode} root */
export function showNeeds(root) {
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-needs]"))) {
    const form = field.closest("form");
    if (!form) continue;
    const needs = Object.entries(JSON.parse(field.dataset.needs ?? "{}"));
    field.hidden = !needs.every(([name, values]) => met(form, name, /** @type {string[]} */ (values)));
  }
}

/** @param {HTMLFormElement} form @param {string} name @param {string[]} values */
function met(form, name, values) {
  const given = new FormData(form).getAll(name).concat(new FormData(form).getAll(`${name}.n`));
  const value = String(given.at(-1) ?? "");
  return values.length ? values.includes(value) : value !== "";
}
