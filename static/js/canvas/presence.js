// Who else has this journey open, and what they save: news from the page's one stream.

import { h } from "../dom.js";
import { _ } from "../i18n.js";

/**
 * One stream for the whole page; other parts listen for its other events.
 * @param {string} url @returns {EventTarget} events carry `detail`
 */
export function openStream(url) {
  const news = new EventTarget();
  const source = new EventSource(url);
  for (const name of ["counters", "journey", "presence", "draft", "comment", "over"]) {
    source.addEventListener(
      name,
      (event) => news.dispatchEvent(new CustomEvent(name, { detail: JSON.parse(/** @type {MessageEvent} */ (event).data) })),
    );
  }
  // The session has ended: asking again would be in vain.
  source.addEventListener("over", () => source.close());
  source.addEventListener("error", () => news.dispatchEvent(new CustomEvent("away")));
  source.addEventListener("open", () => news.dispatchEvent(new CustomEvent("open")));
  addEventListener("pagehide", () => source.close());
  return news;
}

/** @param {EventTarget} news @param {HTMLElement} root @param {{id: number | null, name: string}} me */
export function attachPresence(news, root, me) {
  let before = "";
  news.addEventListener("presence", (event) => {
    const people = /** @type {any[]} */ (/** @type {CustomEvent} */ (event).detail);
    const others = [...new Map(people.filter((one) => one.user !== me.id).map((one) => [one.user ?? one.name, one])).values()];
    const now = others.map((one) => one.name).join(", ");
    if (now === before) return;
    before = now;
    root.hidden = !others.length;
    root.title = others.length ? _("Also here: %(names)s", { names: now }) : "";
    root.replaceChildren(
      ...others.slice(0, 4).map(({ name }, place) => h(
        "span", { class: `face face-${place + 1}`, "aria-hidden": "true" }, initials(name),
      )),
      h("span", { class: "visually-hidden" }, root.title),
    );
  });
}

/** @param {string} name */
function initials(name) {
  const words = name.trim().split(/\s+/);
  return /[a-z]/i.test(name) ? words.slice(0, 2).map((word) => word[0]).join("").toUpperCase() : name.trim().slice(-2);
}
