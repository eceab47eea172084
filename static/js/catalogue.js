// The catalogue of steps: narrowed by a word, opened where the address points to.
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("filter-steps"));
const kinds = [...document.querySelectorAll("details.kind")].map((one) => /** @type {HTMLDetailsElement} */ (one));

field?.addEventListener("input", () => {
  const wish = field.value.trim().toLowerCase();
  let some = false;
  for (const one of kinds) {
    one.hidden = !(one.dataset.words ?? "").includes(wish);
    some ||= !one.hidden;
  }
  for (const group of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".kinds"))) {
    group.hidden = !group.querySelector("details:not([hidden])");
  }
  const nothing = document.getElementById("no-steps");
  if (nothing) nothing.hidden = some;
});

const meant = kinds.find((one) => one.id === decodeURIComponent(location.hash.slice(1)));
if (meant) {
  meant.open = true;
  meant.scrollIntoView();
}
