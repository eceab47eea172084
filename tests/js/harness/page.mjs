// Mounts a made-up journey: ?size=300&mode=edit&theme=dark. Figures are taken by figures.py from outside.

import { mountCanvas } from "../../../static/js/canvas/main.js";
import { tidy } from "../../../static/js/canvas/layout.js";
import { journey } from "../journeys.mjs";

const asked = new URL(location.href).searchParams;
const ICONS = {
  "condition": "split", "wait.duration": "clock", "send.email": "mail", "split": "percent", "send.inapp": "message-square",
  "action.tag": "tag", "wait.event": "hourglass", "send.webhook": "webhook", "entry.event": "log-in", "exit": "flag",
};

/** The page of the application carries these drawings itself. */
async function sprite() {
  const text = await (await fetch("/static/vendor/icons.svg")).text();
  const source = new DOMParser().parseFromString(text, "image/svg+xml");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "sprite");
  svg.setAttribute("width", "0");
  svg.setAttribute("height", "0");
  for (const [type, name] of Object.entries(ICONS)) {
    const symbol = source.getElementById(name)?.cloneNode(true) ?? source.getElementById("circle").cloneNode(true);
    symbol.id = `type-${type}`;
    svg.append(symbol);
  }
  document.body.prepend(svg);
}

await sprite();
if (asked.get("theme")) document.documentElement.dataset.theme = asked.get("theme");
const made = journey(Number(asked.get("size") ?? 50), { placed: asked.get("placed") !== "no" });
const began = performance.now();
const canvas = await mountCanvas(document.getElementById("canvas"), { ...made, mode: asked.get("mode") ?? "edit" });
await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
Object.assign(window, { canvas, tidy: (options) => tidy(canvas.view, options), mounted: performance.now() - began });
