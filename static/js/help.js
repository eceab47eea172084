// The sheet of keys behind `?`: what every page knows, and what this page adds with registerKeys.
import { ask } from "./dialogs.js";
import { h } from "./dom.js";
import { _ } from "./i18n.js";

/** @type {{title: string, keys: [string, string][]}[]} */
const sections = [];

/**
 * Tell the sheet which keys this page has: `[["Ctrl Z", "Undo"], …]`. A key's parts are set apart by spaces.
 * @param {string} title
 * @param {[string, string][]} keys
 */
export function registerKeys(title, keys) {
  const known = sections.findIndex((one) => one.title === title);
  if (known >= 0) sections.splice(known, 1);
  sections.push({ title, keys });
}

/** @param {string} keys */
const caps = (keys) => keys.split(" ").flatMap((key, place) => [place ? " " : "", h("kbd", {}, key)]);

const everywhere = () => ({
  title: _("On every page"),
  keys: /** @type {[string, string][]} */ ([
    ["Ctrl K", _("Find a page, a journey, a contact or an action")],
    ["?", _("Show these keys")],
    ["/", _("Go to the search of this page")],
    ["g o", _("Overview")], ["g j", _("Journeys")], ["g p", _("Plans")], ["g t", _("Templates")], ["g m", _("Messages")], ["g c", _("Contacts")],
    ["Esc", _("Close what is open")],
  ]),
});

/** The way back to the tour, where there is one. */
function tourDoor(/** @type {() => void} */ close) {
  if (!document.getElementById("palette")) return [];
  const start = async () => {
    close();
    (await import("./tour.js")).startTour();
  };
  return [h("p", {}, h("button", { type: "button", class: "button", onclick: start }, _("Show me around")))];
}

let open = false;
/** Show the sheet. */
async function showHelp() {
  if (open) return;
  open = true;
  await ask((done) => ({
    title: _("Keys"),
    kind: "keysheet",
    content: [
      ...tourDoor(() => done(undefined)),
      ...[...sections, everywhere()].map(({ title, keys }) =>
        h("section", {}, h("h3", {}, title),
          h("dl", {}, ...keys.map(([key, text]) => h("div", {}, h("dt", {}, ...caps(key)), h("dd", {}, text)))))),
    ],
  }));
  open = false;
}

/** Whether a key belongs to a field and not to the page. @param {KeyboardEvent} event */
export const inField = (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
};

const ways = { o: "/", j: "/journeys", p: "/plans", t: "/templates", m: "/messages", c: "/contacts" };
let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || inField(event) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const way = ways[/** @type {keyof typeof ways} */ (event.key)];
  if (event.key === "?") showHelp();
  else if (event.key === "/") {
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector("main input[type=search]"));
    if (!field) return;
    field.focus();
    field.select();
  } else if (way && Date.now() - going < 1200) location.assign(way);
  else {
    // A canvas has a `g` of its own; it is only the first half of a way where nobody took the key before.
    going = event.key === "g" ? Date.now() : 0;
    return;
  }
  event.preventDefault();
});
document.querySelector("[data-help]")?.addEventListener("click", () => void showHelp());
