// The editor: everything that changes a journey, put together on the canvas page.

import { h, icon, nodeIcon } from "../dom.js";
import { _, ngettext } from "../i18n.js";
import { adding as makeAdding } from "./adding.js";
import { Autosave } from "./autosave.js";
import { keysWait, whenIdle } from "./bring.js";
import { deeds as makeDeeds } from "./deeds.js";
import { attachDescribe } from "./describe.js";
import { attachClipboard, attachImport } from "./exchange.js";
import { attachMenu } from "./menus.js";
import { attachHands, byId, canvas, exportEntries, menuBelow, news, picker, showKeys } from "./page.js";
import { attachPalette } from "./palette.js";
import { attachPresence } from "./presence.js";
import { attachQuickAdd } from "./quickadd.js";
import { draftStore, draftTransport } from "./drafts.js";
import { attachName, attachNextStep, attachUndo, savedSign } from "./toolbar.js";

const { editor, data } = canvas;
const adding = makeAdding(canvas, picker);
const deeds = makeDeeds(canvas, picker);
const menu = attachMenu({ canvas, deeds, adding });

attachQuickAdd(canvas, adding);
attachClipboard(canvas, deeds);
attachDescribe(canvas);
if (data.published) import("./since.js").then(({ attachSince }) => attachSince(editor, canvas.view, data.published), () => {});
const choose = attachImport(canvas, deeds);
const palette = attachPalette(/** @type {HTMLElement} */ (byId("palette")), canvas, adding);

/** The side panel, with the forms' own script, comes when it is first wanted. @type {import("./panel.js").Panel | null} */
let panel = null;
/** @type {Promise<import("./panel.js").Panel> | null} */
let coming = null;
const settings = () => (coming ??= import("./panel.js").then(({ Panel }) => {
  early();
  return (panel = new Panel(canvas, /** @type {HTMLElement} */ (byId("panel"))));
}));
const early = editor.on("open", (asked) => {
  const opened = () => settings().then((it) => it.open(asked), () => {
    coming = null; // the line was cut; the next time it may be there
    editor.emit("toast", { text: _("The settings could not be loaded. Your work is kept."), kind: "bad" });
  });
  if (asked.focus || asked.fresh) keysWait(opened);
  else opened();
});
// Whoever uses the keys gets what the keys ask for, before they ask.
canvas.view.root.addEventListener("keydown", () => whenIdle([
  () => import("./linking.js"), () => import("./panel.js"), () => import("./find.js"), () => import("./menu.js"), () => import("./layout.js"),
]), { once: true });
attachHands({ deeds, adding, menu, shut: () => panel?.shut() ?? false });

// ── nothing is lost ──────────────────────────────────────────────────────────────────────────────────────────────────

const store = draftStore(data.journey.id);
const saver = new Autosave({
  editor, revision: data.journey.revision, transport: draftTransport(data.urls.draft), store,
  ask: async (conflicts, by) => (await import("./conflict.js")).conflictDialog(editor, data.user.name)(conflicts, by),
  tell: savedSign(canvas, /** @type {HTMLElement} */ (byId("saved"))),
  joined: ({ by, ids }) => {
    const steps = ids.map((id) => editor.titleOf(id)).slice(0, 3).join(", ");
    const who = by === data.user.name ? _("Another window of yours") : by || _("Somebody else");
    editor.emit(
      "toast",
      { text: _("%(name)s changed: %(steps)s", { name: who, steps: steps || _("Settings of the journey") }) },
    );
  },
});
if (await saver.restore()) editor.emit("toast", { text: _("Edits that had not been saved are back.") });
addEventListener("online", () => { if (saver.dirty) saver.flush(); });
addEventListener("pagehide", () => saver.keep());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden") return;
  saver.keep();
  if (saver.dirty && saver.state === "unsaved") saver.flush();
});
addEventListener("beforeunload", (event) => {
  // What is kept here comes back by itself; only what could not even be kept is worth a question.
  if (!saver.keep() || saver.state === "conflict" || panel?.unsaid) event.preventDefault();
});

// ── the bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────

attachName(canvas, /** @type {HTMLInputElement} */ (byId("journey-name")));
attachUndo(canvas, deeds, /** @type {HTMLButtonElement} */ (byId("undo")), /** @type {HTMLButtonElement} */ (byId("redo")));
attachNextStep(canvas, /** @type {HTMLElement} */ (byId("next-step")), saver);
byId("tidy")?.addEventListener("click", ({ shiftKey }) => deeds.tidy({ around: shiftKey }));
byId("open-steps")?.addEventListener("click", () => {
  const root = /** @type {HTMLElement} */ (byId("palette"));
  root.classList.toggle("open");
  if (root.classList.contains("open")) palette.focus();
});
/** The simulator beside the canvas; its script comes when it is first asked for. */
async function tryIt() {
  const { toggleTryout } = await import("./tryout.js");
  await toggleTryout(canvas);
}
byId("simulate")?.addEventListener("click", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!plain) return;
  event.preventDefault();
  tryIt();
});
const more = byId("more");
more?.addEventListener("click", () => menuBelow(more, [
  { label: _("Settings of the journey"), icon: "settings", run: async () => (await settings()).openJourney() },
  { label: _("Try it"), icon: "flask-conical", run: tryIt },
  { label: _("Versions and drafts"), icon: "history", run: () => location.assign(data.urls.versions) },
  { label: _("Keys"), icon: "keyboard", keys: "?", run: showKeys },
  { label: _("Show me around"), icon: "lightbulb", run: () => import("../tour.js").then(({ startTour }) => startTour()) },
  null,
  { label: _("Import a file"), icon: "upload", run: choose },
  ...exportEntries(),
]));

// ── the empty journey ────────────────────────────────────────────────────────────────────────────────────────────────

const blank = byId("blank");
const starts = byId("starts");
const showBlank = () => { if (blank) blank.hidden = editor.flow.steps.size > 0; };
starts?.append(...Object.entries(editor.types).filter(([, type]) => type.is_entry).slice(0, 4).map(([type, { title, help }]) => h(
  "button", { type: "button", class: "start", onclick: () => adding.add(type, {}) },
  h("span", { class: "tile entry" }, nodeIcon(type)), h(
    "span", { class: "words" }, h("b", {}, title), h("small", {}, help ?? ""),
  ), icon("chevron-right"),
)));
editor.on("change", showBlank);
editor.on("load", showBlank);
showBlank();

// ── others ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const others = news("mode=edit");
attachPresence(others, /** @type {HTMLElement} */ (byId("presence")), data.user);
others.addEventListener("draft", (event) => {
  const { revision, by } = /** @type {CustomEvent} */ (event).detail;
  saver.heard({ revision, by: typeof by === "string" ? by : by?.name ?? "" });
});
editor.on("selection", ({ keys }) => {
  if (keys.size > 1) editor.emit("announce", { text: ngettext("%(count)s selected", "%(count)s selected", keys.size) });
});

Object.assign(canvas, { adding, deeds, saver, picker });
document.body.dataset.ready = "true";
if (!localStorage.getItem("tour-editor")) import("../tour.js").then(({ offerTour }) => offerTour());
performance.mark("canvas:ready");
