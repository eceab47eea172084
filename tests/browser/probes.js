// What browser tests ask a page, as `__probes`: what is in the way of a reader, what can be reached, what is typed into.
// Put into every page before its own scripts; never changes what a page shows.
globalThis.__probes = (() => {
  const visible = (one) => one.checkVisibility({ visibilityProperty: true });
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const told = (one) => {
    const name = one.ariaLabel || one.textContent || one.name || one.id || "";
    return `${one.tagName.toLowerCase()} “${name.trim().replace(/\s+/g, " ").slice(0, 40)}”`;
  };

  // What is wider than the window, outside of what scrolls by itself.
  function tooWide() {
    const limit = document.documentElement.clientWidth;
    const wide = document.documentElement.scrollWidth;
    if (wide <= limit) return [];
    const scrolls = (one) => {
      for (let at = one.parentElement; at && at !== document.body; at = at.parentElement) {
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    const found = all("body *").filter((one) => one.getBoundingClientRect().right > limit + 1 && !scrolls(one));
    return [`the page is ${wide} px wide, the window ${limit}`, ...found.slice(0, 5).map((one) => one.outerHTML.slice(0, 120))];
  }

  // Texts a reader sees and labels a screen reader says; code and what is marked as another language is left out.
  const FOREIGN = "code, pre, kbd, samp, script, style, template, textarea, iframe, [lang]:not(html), [translate=no]";
  const SPOKEN = ["aria-label", "aria-description", "title", "placeholder", "alt"];

  function texts() {
    const found = new Set([document.title]);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const [text, owner] = [walker.currentNode.data.trim(), walker.currentNode.parentElement];
      if (text && owner && !owner.closest(FOREIGN) && visible(owner)) found.add(text);
    }
    for (const one of all(SPOKEN.map((name) => `[${name}]`).join())) {
      if (one.closest(FOREIGN) || !visible(one)) continue;
      for (const name of SPOKEN) if (one.getAttribute(name)) found.add(one.getAttribute(name).trim());
    }
    return [...found];
  }

  // What takes part in tabbing; of a group of radio buttons only one does.
  const USABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex],"
    + " [contenteditable=true]";
  let tabs = [];

  function number() {
    const groups = new Set();
    tabs = all(USABLE).filter((one) => {
      if (one.tabIndex < 0 || one.disabled || one.closest("[inert]") || !visible(one)) return false;
      if (one.type !== "radio") return true;
      const group = `${one.form?.id} ${one.name}`;
      return groups.has(group) ? false : groups.add(group);
    });
    document.activeElement?.blur();
    looks = new Map(tabs.map((one) => [one, look(one)]));
    return tabs.map(told);
  }

  // So that the next Tab is the first of the page, whatever had the focus.
  function toTheTop() {
    const start = document.createElement("span");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
    getSelection().removeAllRanges();
    scrollTo(0, 0);
  }

  // How an element looks, and what it stands in: a ring may be drawn around either.
  const LOOKS = ["outlineStyle", "outlineWidth", "boxShadow", "borderColor", "backgroundColor", "textDecorationLine", "transform",
    "top", "left", "clipPath", "opacity"];
  let looks = new Map();

  function look(one) {
    const around = [one, ...(one.labels ?? [])];
    for (let at = one.parentElement; at && around.length < 6; at = at.parentElement) around.push(at);
    return around.map((each) => LOOKS.map((name) => getComputedStyle(each)[name]).join()).join(";");
  }

  // Where the focus is: its number, and whether one can see it there.
  function here() {
    const one = document.activeElement;
    if (!one || one === document.body) return [-1, true];
    // Of a drawing that is walked with arrows, the part one was at takes the focus.
    const holds = (other) => other.role === "application" && other.contains(one);
    const kin = (other) => holds(other) || (one.type === "radio" && other.name === one.name);
    const seen = one.tagName === "IFRAME" || looks.get(one) !== look(one);
    return [tabs.includes(one) ? tabs.indexOf(one) : tabs.findIndex(kin), seen];
  }

  // Numbers of what has gone from the page since: a list that went on loading, a row that was drawn anew.
  const gone = () => tabs.flatMap((one, place) => (one.isConnected ? [] : [place]));

  // What says that it can be pressed and cannot be tabbed to, outside of widgets that are walked with arrows.
  const PRESSED = "[role=button], [role=link], [role=switch], [role=checkbox], button, a[href]";
  const WALKED = ["toolbar", "menu", "menubar", "listbox", "tablist", "grid", "tree", "radiogroup", "application", "combobox"]
    .map((role) => `[role=${role}]`).join() + ", [inert], [aria-hidden=true]";

  function outOfReach() {
    const found = all(PRESSED).filter((one) => one.tabIndex < 0 && !one.disabled && visible(one) && !one.closest(WALKED));
    return found.map((one) => one.outerHTML.slice(0, 120));
  }

  // Fields one can type words into.
  const TYPED = "input:not([type]), input[type=text], input[type=search], input[type=email], input[type=url],"
    + " input[type=tel], input[type=password], textarea, [contenteditable=true]";
  let typed = [];

  // By form, those without one together: lists of numbers for `field`.
  function fields() {
    typed = all(TYPED).filter((one) => !one.disabled && !one.readOnly && visible(one));
    const forms = new Map();
    typed.forEach((one, place) => forms.set(one.form, [...(forms.get(one.form) ?? []), place]));
    return [...forms.values()];
  }

  return { tooWide, texts, number, toTheTop, here, gone, outOfReach, fields, field: (place) => typed[place] };
})();
