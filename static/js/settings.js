// Settings: dialogs that open when the server has filled them; after a secret was shown the page is read anew.
document.addEventListener("htmx:after:swap", () => {
  for (const [place, id] of [["account-form", "account-dialog"], ["person-form", "person-dialog"], ["once", "once-dialog"]]) {
    const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById(id));
    if (!dialog || dialog.open || !document.getElementById(place)?.hasChildNodes()) continue;
    dialog.showModal();
    /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus], input, select"))?.focus();
    dialog.addEventListener("close", () => document.getElementById(place)?.replaceChildren(), { once: true });
  }
});
document.addEventListener("click", (event) => {
  if (/** @type {Element} */ (event.target).closest("[data-reload]")) location.reload();
});
