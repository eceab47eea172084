// The guided start: a condition's picker offers names of the kind chosen beside it.
const PICKERS = /** @type {Record<string, string>} */ ({ attribute: "known-attribute", tag: "known-tag", no_tag: "known-tag" });
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLSelectElement) || !target.name.startsWith("what.")) return;
  const field = target.closest(".condition")?.querySelector(`[name="of.${target.name.slice("what.".length)}"]`);
  field?.setAttribute("list", PICKERS[target.value] ?? "known-event");
});
