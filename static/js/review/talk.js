// Comments beside the canvas: threads pinned to steps, answers, settled or open, counted on the cards. Text is only ever text.
import { h, icon } from "../dom.js";
import { _, language, number } from "../i18n.js";
import { toast } from "../toast.js";

/**
 * @typedef {{id: number, author: string, text: string, at: string, settled_at: string | null, settled_by: string | null}} Remark
 * @typedef {Remark & {node: string, answers: Remark[]}} Thread
 */
const MOST = 9; // a card shows 9 for more

export class Talk {
  /** @type {string | null} the step a new thread is being begun at */
  beginning = null;

  /** @param {import("../canvas/main.js").Canvas} canvas @param {HTMLElement} place */
  constructor(canvas, place) {
    this.canvas = canvas;
    this.place = place;
    /** @type {Thread[]} */
    this.threads = canvas.data.comments;
    this.may = Boolean(canvas.data.may_comment);
    this.when = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en", { dateStyle: "medium", timeStyle: "short", timeZone: canvas.data.timezone });
    /** What is being written, and to which thread; null: a thread of its own. @type {{to: number | null, text: string}} */
    this.writing = { to: null, text: "" };
    canvas.editor.on("selection", () => this.selected());
    this.paint();
  }

  /** Somebody else said something. What is being written here stays as it is, the cursor too. */
  async refresh() {
    try {
      const answer = await fetch(this.canvas.data.comment_url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { items } = await answer.json();
      if (JSON.stringify(items) === JSON.stringify(this.threads)) return;
      this.threads = items;
    } catch {
      return; // the stream tells again once the line is back
    }
    const field = this.place.querySelector("textarea");
    const place = field && field === document.activeElement ? field.selectionStart : null;
    this.paint();
    const again = this.place.querySelector("textarea");
    if (place === null || !again) return;
    again.focus({ preventScroll: true });
    again.setSelectionRange(place, place);
  }

  /** What a selected step is called, and its threads first. */
  selected() {
    const [id] = this.canvas.editor.selectedSteps();
    for (const box of this.place.querySelectorAll("[data-node]")) {
      box.toggleAttribute("data-here", Boolean(id) && /** @type {HTMLElement} */ (box).dataset.node === id);
    }
    const button = this.place.querySelector("[data-begin]");
    if (button) button.lastChild?.replaceWith(id ? _("Comment on “%(title)s”", { title: this.titleOf(id) }) : _("Comment on the journey"));
  }

  /** @param {string} id */
  titleOf(id) {
    if (!id) return _("The journey");
    return this.canvas.editor.facets.get(id)?.title ?? _("A step that is gone");
  }

  paint() {
    const open = this.threads.filter((one) => !one.settled_at);
    const done = this.threads.filter((one) => one.settled_at);
    const told = document.getElementById("comments-open");
    if (told) told.textContent = open.length ? number(open.length) : "";
    const begin = h("button", { type: "button", class: "button", "data-begin": true, onclick: () => this.begin(this.canvas.editor.selectedSteps()[0] ?? "") },
      icon("message-square-plus"), _("Comment on the journey"));
    this.place.replaceChildren(...[
      this.may && this.beginning === null ? begin : null,
      this.beginning !== null ? this.form(null, (text) => this.send({ node: this.beginning, text }), () => { this.beginning = null; this.paint(); }) : null,
      ...open.map((one) => this.thread(one)),
      !this.threads.length && this.beginning === null ? h("p", { class: "faint" }, _("Nobody has said anything yet.")) : null,
      done.length ? h("details", {}, h("summary", {}, _("Settled: %(count)s", { count: number(done.length) })), ...done.map((one) => this.thread(one))) : null,
    ].filter((one) => one !== null));
    this.badges(open);
    this.selected();
  }

  /** How many open threads each card has. @param {Thread[]} open */
  badges(open) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { node } of open) counts.set(node, (counts.get(node) ?? 0) + 1);
    for (const id of this.canvas.editor.flow.steps.keys()) {
      const count = Math.min(counts.get(id) ?? 0, MOST);
      this.canvas.view.mark(id, "talk", count > 0);
      for (let many = 1; many <= MOST; many += 1) this.canvas.view.mark(id, `talk-${many}`, many === count);
    }
  }

  /** @param {string} node */
  begin(node) {
    this.beginning = node;
    this.writing = { to: null, text: "" };
    this.paint();
    this.place.scrollIntoView({ block: "nearest" });
    this.place.querySelector("textarea")?.focus();
  }

  /** @param {Thread} one */
  thread(one) {
    const { editor, view } = this.canvas;
    const title = h("button", { type: "button", class: "about", disabled: !editor.flow.steps.has(one.node), onclick: () => { editor.select([one.node]); view.reveal([one.node], false); } },
      icon(one.node ? "map" : "workflow"), this.titleOf(one.node));
    const settle = h("button", { type: "button", class: "button quiet", onclick: () => this.settle(one.id, !one.settled_at) },
      icon(one.settled_at ? "rotate-ccw" : "check"), one.settled_at ? _("Open again") : _("Settle"));
    const answering = () => this.form(one.id, (text) => this.send({ parent: one.id, text }), () => { this.writing = { to: null, text: "" }; this.paint(); });
    const answer = this.writing.to === one.id ? answering() : h("button", { type: "button", class: "button quiet", onclick: () => {
      this.writing = { to: one.id, text: "" };
      this.paint();
      this.place.querySelector("textarea")?.focus();
    } }, icon("message-square"), _("Answer"));
    const box = h("article", { class: one.settled_at ? "thread settled" : "thread", dataset: { node: one.node } },
      title, this.remark(one), ...one.answers.map((other) => this.remark(other)),
      one.settled_at ? h("p", { class: "faint" }, _("Settled by %(name)s", { name: one.settled_by ?? "" })) : null,
      this.may ? h("div", { class: "deed-row" }, one.settled_at ? null : answer, settle) : null);
    return box;
  }

  /** @param {Remark} one */
  remark(one) {
    return h("div", { class: "remark" },
      h("p", { class: "faint" }, h("b", {}, one.author), " ", h("time", { datetime: one.at }, this.when.format(new Date(one.at)))),
      h("p", { class: "pre" }, one.text));
  }

  /** @param {number | null} to the thread that is answered @param {(text: string) => void} send @param {() => void} leave */
  form(to, send, leave) {
    const label = to === null ? _("Say what you think of it") : _("Answer");
    const field = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 3, maxlength: 4000, required: true, "aria-label": label, placeholder: label }));
    if (this.writing.to === to) field.value = this.writing.text;
    field.addEventListener("input", () => { this.writing = { to, text: field.value }; });
    const about = this.beginning !== null && to === null ? h("p", { class: "faint" }, this.titleOf(this.beginning)) : null;
    const finish = (/** @type {Event} */ event) => { event.preventDefault(); if (field.value.trim()) send(field.value.trim()); };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) finish(event);
      if (event.key === "Escape") leave();
    });
    return h("form", { class: "say", onsubmit: finish }, about, field, h("div", { class: "deed-row" },
      h("button", { type: "button", class: "button quiet", onclick: leave }, _("Cancel")),
      h("button", { type: "submit", class: "button primary" }, _("Say it"))));
  }

  /** @param {Record<string, unknown>} remark */
  send(remark) {
    return this.ask(this.canvas.data.comment_url, remark);
  }

  /** @param {number} id @param {boolean} settled */
  settle(id, settled) {
    return this.ask(`${this.canvas.data.comment_url}/${id}/settle`, { settled });
  }

  /** @param {string} address @param {Record<string, unknown>} body */
  async ask(address, body) {
    try {
      const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(String(answer.status));
      this.threads = (await answer.json()).items;
      this.beginning = null;
      this.writing = { to: null, text: "" };
      this.paint();
    } catch {
      toast(_("That could not be kept. Your words are still there; please try again."), { kind: "bad" });
    }
  }
}
