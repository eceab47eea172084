// Mounts a made-up journey: ?size=300&mode=edit&theme=dark. Figures are asked for by figures.py from outside.

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
const [mode, id] = [asked.get("mode") ?? "edit", asked.get("journey")];
const began = performance.now();
const canvas = await mountCanvas(document.getElementById("canvas"), { ...made, mode, journey: id && { id } });
await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });

const watched = { /** @type {number[]} */ frames: [], long: 0, on: false };
const observer = new PerformanceObserver((list) => {
  for (const one of list.getEntries()) watched.long = Math.max(watched.long, one.duration);
});
observer.observe({ entryTypes: ["longtask"] });

const figures = {
  watch() {
    Object.assign(watched, { frames: [], long: 0, on: true });
    let last = performance.now();
    const step = (/** @type {number} */ now) => {
      watched.frames.push(now - last);
      last = now;
      if (watched.on) requestAnimationFrame(step);
    };
    requestAnimationFrame((now) => {
      last = now;
      requestAnimationFrame(step);
    });
  },
  /** Median, 95th of 100, longest task, how many. */
  stop() {
    watched.on = false;
    const all = watched.frames.sort((one, other) => one - other);
    const at = (/** @type {number} */ part) => all[Math.min(all.length - 1, Math.floor(all.length * part))];
    return [at(0.5), at(0.95), watched.long, all.length];
  },
  /** From new numbers of 300 steps to their being painted. */
  count() {
    const { editor, view } = canvas;
    const some = () => Math.ceil(Math.random() * 1e5);
    const ids = [...editor.flow.steps.keys()].slice(0, 300);
    const nodes = Object.fromEntries(ids.map((id) => [id, { entered: some(), waiting: some() }]));
    const keys = ids.flatMap((id) => editor.portsOf(id).map((port) => `${id} ${port.name}`));
    const began = performance.now();
    view.setCounters({ nodes, ports: Object.fromEntries(keys.map((key) => [key, some()])) });
    return new Promise((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
    });
  },
  /** How many cards lie upon another. */
  overlaps() {
    const all = [...canvas.view.places.rects];
    return all.filter(([id, rect]) => [...canvas.view.places.meeting(rect)].some((other) => other !== id)).length;
  },
  async tidyUp() {
    const began = performance.now();
    await tidy(canvas.view, { ids: [...canvas.editor.flow.steps.keys()] });
    return performance.now() - began;
  },
};
Object.assign(window, { canvas, figures, tidy: (options) => tidy(canvas.view, options), mounted: performance.now() - began });
