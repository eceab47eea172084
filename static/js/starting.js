// A file dropped on the form is handed in as if it had been chosen. Without scripts the form works all the same.
for (const form of document.querySelectorAll("form[data-drop]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  const input = /** @type {HTMLInputElement | null} */ (form.querySelector("input[type=file]"));
  if (!input) continue;
  const over = (/** @type {boolean} */ is) => form.classList.toggle("over", is);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  form.addEventListener("dragleave", () => over(false));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const files = event.dataTransfer?.files;
    if (!files?.length) return;
    input.files = files;
    form.requestSubmit();
  });
  input.addEventListener("change", () => {
    if (input.files?.length) form.requestSubmit();
  });
}
