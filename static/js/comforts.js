// The shell's own comforts: light or dark, a narrow rail, another language on the same address, copying, leaving menus.
import { _ } from "./i18n.js";
import { registerCommands } from "./palette.js";
import { toast } from "./toast.js";

const root = document.documentElement;

/** @param {string} choice `light`, `dark`, or anything else for what the system has */
function setTheme(choice) {
  if (choice === "light" || choice === "dark") {
    localStorage.setItem("theme", choice);
    root.dataset.theme = choice;
  } else {
    localStorage.removeItem("theme");
    delete root.dataset.theme;
  }
  showTheme();
  document.dispatchEvent(new Event("theme")); // drawings on a 2D canvas take their colours anew
}

function showTheme() {
  const now = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.themeChoice === now));
  }
}

function setRail(/** @type {boolean} */ slim) {
  localStorage.setItem("rail", slim ? "slim" : "wide");
  root.toggleAttribute("data-slim", slim);
  showRail();
}

function showRail() {
  const slim = root.hasAttribute("data-slim");
  for (const button of document.querySelectorAll("[data-rail]")) button.setAttribute("aria-expanded", String(!slim));
}

/** The language switch keeps what was searched for. @param {HTMLAnchorElement} link */
function speak(link) {
  const here = new URL(location.href);
  here.searchParams.set("lang", link.getAttribute("hreflang") ?? "en");
  location.assign(here);
}

/** Without a secure context (plain http in a company's net) there is no clipboard API; a selection can always be copied. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(_("Copied."));
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const theme = /** @type {HTMLElement | null} */ (target.closest("[data-theme-choice]"));
  if (theme) setTheme(theme.dataset.themeChoice ?? "");
  if (target.closest("[data-rail]")) setRail(!root.hasAttribute("data-slim"));
  const tongue = /** @type {HTMLAnchorElement | null} */ (target.closest(".tongues a"));
  if (tongue && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    speak(tongue);
  }
  const copy = /** @type {HTMLElement | null} */ (target.closest("[data-copy]"));
  if (copy) void copyText(copy.dataset.copy ?? "");
  const opener = /** @type {HTMLElement | null} */ (target.closest("[data-open]"));
  if (opener) /** @type {HTMLDialogElement | null} */ (document.getElementById(opener.dataset.open ?? ""))?.showModal();
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  // A menu closes once something in it was chosen.
  const menu = /** @type {HTMLElement | null} */ (target.closest(".menu-list[popover]"));
  if (menu && target.closest("a, button")) menu.hidePopover();
});

registerCommands([
  { title: _("Light colours"), icon: "sun", run: () => setTheme("light"), group: _("Appearance"), keywords: "theme light" },
  { title: _("Dark colours"), icon: "moon", run: () => setTheme("dark"), group: _("Appearance"), keywords: "theme dark" },
  { title: _("Colours of the system"), icon: "monitor", run: () => setTheme(""), group: _("Appearance"), keywords: "theme system" },
  ...[...document.querySelectorAll(".rail .tongues a")].map((one) => ({
    title: one.textContent?.trim() ?? "", icon: "languages", group: _("Appearance"), keywords: "language 语言",
    run: () => speak(/** @type {HTMLAnchorElement} */ (one)),
  })),
]);
showTheme();
showRail();
