// The review page: the canvas read only, what changed laid over it, from change to change, and the talk beside the steps.
import { canvas, news } from "../canvas/page.js";
import { inField, registerKeys } from "../help.js";
import { _ } from "../i18n.js";
import { registerCommands } from "../palette.js";
import { Talk } from "./talk.js";

/** @typedef {{node: string, state: string, title: string}} Change */

class Review {
  at = -1;

  /** @param {import("../canvas/main.js").Canvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Change[]} */
    this.changes = canvas.data.changes ?? [];
    /** @type {HTMLElement[]} */
    this.rows = [...document.querySelectorAll("[data-change]")].map((one) => /** @type {HTMLElement} */ (one));
    const box = /** @type {HTMLInputElement | null} */ (document.getElementById("show-diff"));
    box?.addEventListener("change", () => this.show(box.checked));
    this.show(true);
    this.rows.forEach((row, place) => row.addEventListener("click", () => this.go(place)));
    for (const row of document.querySelectorAll(".problem[data-node]")) {
      row.addEventListener("click", () => this.look(/** @type {HTMLElement} */ (row).dataset.node ?? ""));
    }
    document.querySelector("[data-previous]")?.addEventListener("click", () => this.step(-1));
    document.querySelector("[data-next]")?.addEventListener("click", () => this.step(1));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {boolean} shown */
  show(shown) {
    this.canvas.view.setOverlay(shown && this.changes.length ? "diff" : null, this.canvas.data.diff);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (inField(event) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "j") this.step(1);
    else if (event.key === "k") this.step(-1);
    else return;
    event.preventDefault();
  }

  /** @param {number} way */
  step(way) {
    const many = this.changes.length;
    if (many) this.go(((this.at < 0 && way < 0 ? 0 : this.at) + way + many) % many);
  }

  /** @param {number} place */
  go(place) {
    this.at = place;
    this.rows.forEach((row, other) => row.toggleAttribute("aria-current", other === place));
    this.rows[place]?.scrollIntoView({ block: "nearest" });
    const told = document.getElementById("walk-place");
    if (told) told.textContent = _("%(place)s of %(many)s", { place: place + 1, many: this.changes.length });
    this.look(this.changes[place].node);
  }

  /** A step that is gone is looked at where its ghost stands. @param {string} id */
  look(id) {
    const { editor, view, viewport } = this.canvas;
    if (editor.flow.steps.has(id)) {
      editor.select([id]);
      view.reveal([id], true);
      return;
    }
    const rect = view.ghosts.rects.get(id);
    if (rect) viewport.centerOn({ x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 }, { glide: true });
  }
}

// The editor sends people here to publish where somebody may be on the way.
if (location.hash === "#publish") document.getElementById("publish-button")?.click();

const review = canvas.data.diff ? new Review(canvas) : null;
const place = document.getElementById("threads");
const talk = place && canvas.data.comments ? new Talk(canvas, place) : null;
if (talk) {
  const stream = news();
  let away = false;
  stream.addEventListener("comment", () => { talk.refresh(); });
  stream.addEventListener("away", () => { away = true; });
  // What was said while the line was cut is told by nobody.
  stream.addEventListener("open", () => { if (away) talk.refresh(); away = false; });
}
if (review) {
  registerKeys(_("Review"), [["J", _("Next change")], ["K", _("Previous change")]]);
  registerCommands([
    { title: _("Next change"), icon: "chevron-right", run: () => review.step(1) },
    { title: _("Previous change"), icon: "chevron-left", run: () => review.step(-1) },
    ...(talk?.may ? [{ title: _("Comment on the journey"), icon: "message-square-plus", run: () => talk.begin("") }] : []),
  ]);
}
