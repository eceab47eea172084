// What every page does: news from the server as toasts, the palette, help, dialogs, comforts of the shell.
import "./comforts.js";
import "./dialogs.js";
import "./help.js";
import "./palette.js";
import { _ } from "./i18n.js";
import { toast } from "./toast.js";

// The server says it in a header of an htmx answer: HX-Trigger: {"toast": {"text": …, "undo": …}}.
document.addEventListener("toast", (event) => {
  const said = /** @type {CustomEvent} */ (event).detail;
  const { text, kind, undo, label } = said?.value ?? said ?? {};
  if (text) toast(text, { kind, undo, label });
});

document.addEventListener("htmx:error", (event) => {
  if (/** @type {CustomEvent} */ (event).detail?.error?.name === "AbortError") return;
  toast(_("The server cannot be reached. Nothing was lost; please try again."), { kind: "bad" });
});
document.addEventListener("htmx:response:error", (event) => {
  const { status } = /** @type {CustomEvent} */ (event).detail?.ctx?.response ?? {};
  if (status >= 500) toast(_("One moment, please: the server is busy. Try again shortly."), { kind: "bad" });
});
