// Lists: numbers that stay fresh, rows that are chosen together, the plan a journey is laid into. The server decides.
import { ask } from "./dialogs.js";
import { h, pageData } from "./dom.js";
import { _, ngettext } from "./i18n.js";
import { toast } from "./toast.js";

const EVERY_MS = 5000;

// Numbers: the rows' own cells are asked for and changed where they differ; nothing else on the page moves.
async function refresh() {
  const table = /** @type {HTMLElement | null} */ (document.querySelector("[data-numbers]"));
  const ids = [...document.querySelectorAll("[data-numbers] tbody tr[id]")].map((row) => row.id.replace("journey-", ""));
  if (table && ids.length && !document.hidden) {
    try {
      const address = `${table.dataset.numbers}?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
      const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") return location.reload();
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the server is away for a moment: the numbers stay, the next look comes */ }
  }
  setTimeout(refresh, EVERY_MS);
}

/** @param {Document} fresh */
function take(fresh) {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll("[data-live]"))) {
    const place = document.querySelector(`[data-live="${CSS.escape(part.dataset.live ?? "")}"]`);
    if (!place || place.textContent === part.textContent) continue;
    place.replaceChildren(...part.childNodes);
    place.classList.remove("news");
    requestAnimationFrame(() => requestAnimationFrame(() => place.classList.add("news")));
  }
}

/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll("tbody .pick input")].map((one) => /** @type {HTMLInputElement} */ (one));
const picked = () => boxes().filter((one) => one.checked);

function showPicked() {
  const many = picked();
  const bar = document.getElementById("picked");
  if (!bar) return;
  bar.hidden = many.length === 0;
  const count = bar.querySelector("[data-picked-count]");
  if (count) count.textContent = ngettext("%(count)s journey chosen", "%(count)s journeys chosen", many.length);
  for (const one of boxes()) one.closest("tr")?.classList.toggle("is-picked", one.checked);
  const all = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-pick-all]"));
  if (all) {
    all.checked = many.length > 0 && many.length === boxes().length;
    all.indeterminate = many.length > 0 && !all.checked;
  }
}

/** @param {boolean} all */
function pickAll(all) {
  for (const one of boxes()) one.checked = all;
  showPicked();
}

/** @param {string[]} ids @param {string} now */
async function move(ids, now) {
  const plans = pageData("plan-names") ?? [];
  const select = /** @type {HTMLSelectElement} */ (h("select", { autofocus: true, id: "move-to" },
    h("option", { value: "" }, _("in no plan")), ...plans.map((/** @type {[number, string]} */ [id, name]) => h("option", { value: id, selected: String(id) === now }, name))));
  const wish = await ask((done) => ({
    title: ngettext("Move the journey to a plan", "Move %(count)s journeys to a plan", ids.length),
    content: [h("div", { class: "field" }, h("label", { for: "move-to" }, _("Plan")), select),
      plans.length ? "" : h("p", { class: "faint" }, _("There is no plan yet."), " ", h("a", { href: "/plans" }, _("Make one")))],
    kind: "question",
    buttons: [
      h("button", { type: "button", class: "button", onclick: () => done(undefined) }, _("Cancel")),
      h("button", { type: "button", class: "button primary", onclick: () => done(select.value) }, _("Move")),
    ],
  }));
  if (typeof wish !== "string") return;
  const body = new URLSearchParams([["plan", wish], ...ids.map((id) => ["id", id])]);
  const answer = await fetch("/journeys/move", { method: "POST", body });
  if (!answer.ok) return toast(_("That could not be done."), { kind: "bad" });
  toast(ngettext("The journey was moved.", "%(count)s journeys were moved.", ids.length));
  document.body.dispatchEvent(new Event("list-changed"));
  if (!document.getElementById("filters")) location.reload();
}

/** @param {string[]} ids @param {string} now */
async function label(ids, now) {
  const input = /** @type {HTMLInputElement} */ (h("input", { autofocus: true, id: "scope-to", maxlength: 60, value: now }));
  const wish = await ask((done) => ({
    title: ngettext("The scope of the journey", "The scope of %(count)s journeys", ids.length),
    content: [h("div", { class: "field" }, h("label", { for: "scope-to" }, _("Scope")), input,
      h("p", { class: "hint" }, _("A label such as shanghai. People who are limited to scopes see only what bears theirs; empty: no label.")))],
    kind: "question",
    buttons: [
      h("button", { type: "button", class: "button", onclick: () => done(undefined) }, _("Cancel")),
      h("button", { type: "button", class: "button primary", onclick: () => done(input.value) }, _("Save")),
    ],
  }));
  if (typeof wish !== "string") return;
  const answer = await fetch("/journeys/scope", { method: "POST", body: new URLSearchParams([["scope", wish], ...ids.map((id) => ["id", id])]) });
  if (!answer.ok) return toast(_("That could not be done."), { kind: "bad" });
  toast(_("Saved."));
  document.body.dispatchEvent(new Event("list-changed"));
  if (!document.getElementById("filters")) location.reload();
}

document.addEventListener("change", (event) => {
  const target = /** @type {HTMLInputElement} */ (event.target);
  if (target.matches("[data-pick-all]")) pickAll(target.checked);
  else if (target.matches(".pick input")) showPicked();
});
document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.closest("[data-pick-none]")) pickAll(false);
  const mover = /** @type {HTMLElement | null} */ (target.closest("[data-move]"));
  if (mover) void move(mover.dataset.move === "picked" ? picked().map((one) => one.value) : [mover.dataset.move ?? ""], mover.dataset.plan ?? "");
});
document.addEventListener("click", (event) => {
  const labeller = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-scope]"));
  if (labeller) void label(labeller.dataset.scope === "picked" ? picked().map((one) => one.value) : [labeller.dataset.scope ?? ""], labeller.dataset.label ?? "");
});
document.addEventListener("htmx:after:swap", showPicked);

setTimeout(refresh, EVERY_MS);
