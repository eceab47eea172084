// What every page does: news from the server as toasts, and sessions that ended lead to the sign-in page.
import { toast } from "./toast.js";

// The server says it in a header of an htmx answer: HX-Trigger: {"toast": {"text": …, "undo": …}}.
document.addEventListener("toast", (event) => {
  const said = /** @type {CustomEvent} */ (event).detail;
  const { text, kind, undo, label } = said?.value ?? said ?? {};
  if (text) toast(text, { kind, undo, label });
});
