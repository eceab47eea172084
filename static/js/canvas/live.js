// The live view: numbers that move, heat, one step or one path beside the canvas, the deeds of a running journey. Reads only.

import { confirmDialog } from "../dialogs.js";
import { _, ngettext, number } from "../i18n.js";
import { toast } from "../toast.js";
import { byId, canvas, news } from "./page.js";
import { attachPresence } from "./presence.js";

const { editor, view, data } = canvas;
const side = /** @type {HTMLElement} */ (byId("panel"));
const body = /** @type {HTMLElement} */ (byId("live-side"));
const whole = /** @type {HTMLTemplateElement} */ (byId("whole"));
const NARROW = matchMedia("(width <= 900px)");
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
/** So long the panel of a step waits before it reads its changed numbers again. */
const REFRESH_MS = 2000;

/** @type {"" | "volume" | "loss"} */
let heat = "";
/** Which step stands beside the canvas. @type {string | null} */
let shown = null;
/** @type {Record<string, number>} */
const totals = { ...data.counters.totals };

// ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {any} delta */
function take(delta) {
  view.setCounters(delta);
  for (const [name, count] of Object.entries(delta.totals ?? {})) {
    totals[name] = Number(count);
    const place = document.querySelector(`[data-total="${CSS.escape(name)}"]`);
    if (place && place.textContent !== number(totals[name])) {
      place.textContent = number(totals[name]);
      place.closest("div")?.classList.toggle("none", !totals[name]);
      flash(place.closest("div"), true);
    }
  }
  if (heat) warm();
}

/** @param {any} delta */
function changed(delta) {
  take(delta);
  const ids = new Set([...Object.keys(delta.nodes ?? {}), ...Object.keys(delta.ports ?? {}).map((key) => key.slice(0, key.indexOf(" ")))]);
  for (const id of ids) flash(view.cardElement(id));
  if (shown ? ids.has(shown) : Object.keys(delta.totals ?? {}).length) again();
}

/** A short glow where a number moved; none for people who asked for stillness. @param {Element | null} element @param {boolean} [soft] */
function flash(element, soft = false) {
  if (!element || STILL.matches || document.hidden) return;
  const colour = (/** @type {string} */ name) => getComputedStyle(element).getPropertyValue(name) || "transparent";
  const frames = soft
    ? [{ backgroundColor: colour("--accent-wash") }, { backgroundColor: "transparent" }]
    : [{ boxShadow: `0 0 0 2px ${colour("--accent")}` }, { boxShadow: "0 0 0 7px transparent" }];
  element.animate(frames, { duration: soft ? 1600 : 800, easing: "ease-out" });
}

take(data.counters);
const stream = news(`mode=live&${data.live.query}`);
let first = true;
stream.addEventListener("counters", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  // What comes first is everything: it has moved no more than the page's own numbers are old.
  if (first) take(detail);
  else changed(detail);
  if (first && totals.entered && body.querySelector("[data-until-entered]")) again();
  first = false;
});
// Nothing can be lost here: the page leads to the sign-in page and back.
stream.addEventListener("over", () => location.reload());
const others = byId("presence");
if (others) attachPresence(stream, others, data.user);
stream.addEventListener("away", () => { const note = byId("away"); if (note) note.hidden = false; first = true; });
stream.addEventListener("open", () => { const note = byId("away"); if (note) note.hidden = true; });

// ── heat ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Volume: how many came. Loss: which share of those who came ended there, where the journey did not mean them to. */
function warm() {
  const { nodes } = editor.counters;
  if (heat === "volume") return view.setOverlay("heat", { by: "volume" });
  const lost = Object.entries(nodes).map(([id, one]) => {
    const step = editor.flow.steps.get(id);
    const meant = step && editor.types[step.type]?.is_exit;
    return [id, meant || !one.entered ? 0 : one.ended / one.entered];
  });
  const most = Math.max(0.0001, ...lost.map(([, part]) => Number(part)));
  view.setOverlay("heat", { by: "loss", nodes: Object.fromEntries(lost.map(([id, part]) => [id, Number(part) / most])) });
}

for (const choice of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('[name="heat"]'))) {
  choice.addEventListener("change", () => {
    heat = /** @type {"" | "volume" | "loss"} */ (choice.value);
    if (heat) warm();
    else view.setOverlay(data.path ? "path" : null, data.path ?? null);
  });
}

// ── beside the canvas ────────────────────────────────────────────────────────────────────────────────────────────────

let asked = 0;
let later = 0;

/** @param {string} id @param {boolean} quiet whether it stands there already */
async function showStep(id, quiet) {
  const turn = (asked += 1);
  shown = id;
  side.hidden = false;
  if (!quiet) body.setAttribute("aria-busy", "true");
  const answer = await fetch(data.urls.node.replace("{node}", encodeURIComponent(id)), { headers: { Accept: "text/html" }, redirect: "manual" });
  if (turn !== asked) return;
  body.removeAttribute("aria-busy");
  if (answer.type === "opaqueredirect") return location.reload();
  if (!answer.ok) return;
  const scrolled = body.querySelector(".panel-body")?.scrollTop ?? 0;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  body.replaceChildren(...fresh.childNodes);
  const panel = body.querySelector(".panel-body");
  if (quiet && panel) panel.scrollTop = scrolled;
}

/** The numbers of what is shown have changed: it is read again, but not at every change. */
function again() {
  for (const note of body.querySelectorAll("[data-until-entered]")) note.remove();
  later ||= window.setTimeout(() => {
    later = 0;
    if (shown) void showStep(shown, true);
    else body.querySelector(".course")?.dispatchEvent(new Event("moved"));
  }, REFRESH_MS);
}

function showWhole() {
  asked += 1;
  shown = null;
  side.hidden = NARROW.matches;
  if (data.path) return;
  body.replaceChildren(whole.content.cloneNode(true));
  /** @type {any} */ (window).htmx?.process(body);
}

editor.on("selection", ({ keys }) => {
  const [id, ...others] = [...keys].filter((key) => editor.flow.steps.has(key));
  if (id && !others.length) {
    if (id !== shown) void showStep(id, false);
  } else if (shown) showWhole();
});
side.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.closest("[data-close-side]")) {
    if (shown) editor.select([]);
    else side.hidden = true;
  }
  const step = /** @type {HTMLElement | null} */ (target.closest("[data-step]"))?.dataset.step;
  if (step) editor.reveal(step, { focus: true });
});
byId("open-side")?.addEventListener("click", () => { side.hidden = false; });
side.hidden = NARROW.matches && !data.path;
side.setAttribute("aria-label", _("Numbers"));

if (data.path) {
  view.setOverlay("path", data.path);
  if (data.path.steps.length) editor.reveal(data.path.current ?? data.path.steps[0]);
}

// A number on a card leads to the people behind it.
view.root.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const card = /** @type {HTMLElement | null} */ (target.closest(".card"));
  const id = card?.dataset.id;
  if (!id) return;
  if (target.closest(".here")) location.assign(`${data.urls.people}node=${encodeURIComponent(id)}&status=waiting`);
  const row = /** @type {HTMLElement | null} */ (target.closest(".count")?.closest(".port") ?? null);
  if (row?.dataset.port) location.assign(`${data.urls.people}node=${encodeURIComponent(id)}&port=${encodeURIComponent(row.dataset.port)}`);
}, { capture: true });

// ── stop; pause and resume are chosen on a page of their own ──────────────────────────────────────────────────────────────────────────────────────────────

const run = byId("run");

/** @param {string} to */
async function change(to) {
  const answer = await fetch(/** @type {HTMLElement} */ (run).dataset.address ?? "", { method: "POST", body: new URLSearchParams({ to }) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) return toast(said.detail ?? _("That did not work."), { kind: "bad" });
  settle(said.status);
  toast(said.text);
}

/** The deeds that there are in this state. @param {string} status */
function settle(status) {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (run?.querySelectorAll("[data-when]") ?? [])) one.hidden = !one.dataset.when?.split(" ").includes(status);
  const pill = document.querySelector(".journey-line .pill");
  if (!pill || pill.classList.contains(status)) return;
  const words = { live: _("Live"), paused: _("Paused"), stopped: _("Stopped"), draft: _("Draft") };
  pill.className = `pill ${status}`;
  pill.textContent = words[/** @type {keyof typeof words} */ (status)] ?? status;
}

run?.addEventListener("click", async (event) => {
  const to = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-to]"))?.dataset.to;
  if (!to) return;
  const people = ngettext("%(count)s person is on the way.", "%(count)s people are on the way.", totals.active ?? 0);
  const meaning = _("All of them leave at once, and what waits to be sent is not sent. This cannot be undone.");
  if (await confirmDialog({ title: _("Stop this journey for good?"), text: `${people}\n${meaning}`, yes: _("Stop it"), danger: true })) void change(to);
});
stream.addEventListener("journey", (event) => settle(/** @type {CustomEvent} */ (event).detail.status));
