// The simulator's panel, alone on its page or in the canvas's drawer. Brings the drawn (unsaved) document along, keeps the
// last moment in view, closes its little forms. What happened comes from the server as the event `simulated`.

/** @typedef {{path: {node: string, port: string}[], at: string, entered: boolean}} Simulated */
/** @type {(() => unknown) | null} */
let drawn = null;
/** How many lines the story had before the last answer: only what is new is scrolled to. */
let told = 0;

const panel = () => document.getElementById("simulator");

/** @param {string} text */
function carry(text) {
  const field = panel()?.querySelector('#sim-state input[name="document"]');
  if (field instanceof HTMLInputElement) field.value = text;
}

/**
 * Show the panel inside `host`. `document` gives the flow as it is drawn now; it is asked before every step.
 * @param {{host: HTMLElement, url: string, document?: () => unknown}} options
 */
export async function openSimulator({ host, url, document: give }) {
  drawn = give ?? null;
  const htmx = /** @type {any} */ (window).htmx;
  if (!panel() || !host.contains(panel())) host.replaceChildren(Object.assign(document.createElement("div"), { id: "simulator" }));
  const values = drawn ? { document: JSON.stringify(drawn()) } : {};
  await htmx.ajax("POST", url, { target: "#simulator", swap: "outerHTML", values });
}

document.addEventListener(
  "submit",
  (event) => {
    if (drawn && event.target instanceof Element && event.target.closest("#simulator")) carry(JSON.stringify(drawn()));
  },
  { capture: true },
);

// Another kind of person, or another entry: the form is filled anew.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLSelectElement) || !field.dataset.again || !field.form) return;
  const button = Object.assign(document.createElement("button"), { name: "do", value: field.dataset.again, hidden: true });
  field.form.append(button);
  field.form.requestSubmit(button);
});

document.addEventListener("htmx:after:swap", () => {
  const lines = panel()?.querySelectorAll(".sim-line") ?? [];
  if (lines.length > told) lines[lines.length - 1].scrollIntoView({ block: "nearest" });
  told = lines.length;
});

// One little form at a time; Escape closes it.
document.addEventListener("toggle", (event) => {
  const opened = event.target;
  if (!(opened instanceof HTMLDetailsElement) || !opened.open || !opened.matches(".sim-pop")) return;
  for (const other of panel()?.querySelectorAll("details.sim-pop[open]") ?? []) if (other !== opened) other.removeAttribute("open");
  const first = opened.querySelector("input");
  first?.focus();
  first?.select();
}, { capture: true });

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && panel()?.querySelector("details.sim-pop[open]");
  if (!open) return;
  open.removeAttribute("open");
  open.querySelector("summary")?.focus();
  event.stopPropagation();
}, { capture: true });
