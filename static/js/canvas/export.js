// The journey as a file: SVG drawn from the model, PNG painted from that SVG, JSON; YAML comes from the server.

import { around, CARD, inflate } from "./geometry.js";
import { noteKey } from "./model.js";
import { pathOf } from "./route.js";

/** @typedef {import("./main.js").Canvas} Canvas */

const SVG = "http://www.w3.org/2000/svg";
const FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'DejaVu Sans', sans-serif";
const PIXELS_AT_MOST = 12_000;

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Colours as they are on the page now, so that the file needs no style sheet. @param {Element} place */
function colours(place) {
  const probe = document.createElement("span");
  place.append(probe);
  const read = (/** @type {string} */ name, /** @type {string} */ className, /** @type {"color" | "backgroundColor"} */ what) => {
    probe.className = className;
    probe.style.setProperty("color", name ? `var(${name})` : "");
    return getComputedStyle(probe)[what];
  };
  const token = (/** @type {string} */ name) => read(name, "", "color");
  const found = {
    paper: token("--paper"), surface: token("--surface"), ink: token("--ink"), soft: token("--soft"), line: token("--line"), wire: token("--wire"),
    tile: (/** @type {string} */ hue) => ({
      back: read("", `tile ${hue}`, "backgroundColor"), ink: read("", `tile ${hue}`, "color"),
    }),
    note: (/** @type {string} */ hue) => read("", `sticky hue-${hue}`, "backgroundColor"),
    done: () => probe.remove(),
  };
  return found;
}

/** @param {Canvas} canvas @returns {{text: string, width: number, height: number}} */
export function drawing({ editor, view }) {
  const paint = colours(view.root);
  const rects = [
    ...editor.flow.steps.keys(), ...[...editor.flow.notes.keys()].map(noteKey),
    ...[...editor.flow.groups.keys()].map((id) => `group:${id}`),
  ].map((key) => editor.rectOfKey(key)).filter((rect) => rect !== null);
  const frame = inflate(around(rects) ?? { x: 0, y: 0, width: 200, height: 100 }, 40);
  const svg = s(
    "svg",
    {
      xmlns: SVG, viewBox: `${frame.x} ${frame.y} ${frame.width} ${frame.height}`, width: frame.width,
      height: frame.height, "font-family": FONT,
    },
  );
  svg.append(s("rect", { x: frame.x, y: frame.y, width: frame.width, height: frame.height, fill: paint.paper }));
  for (const id of editor.flow.groups.keys()) {
    const rect = editor.groupRect(id);
    if (!rect) continue;
    svg.append(s("rect", { ...rect, rx: 18, fill: "none", stroke: paint.wire, "stroke-dasharray": "5 4" }));
    svg.append(s(
      "text", { x: rect.x + 18, y: rect.y + 24, fill: paint.soft, "font-size": 12.5, "font-weight": 650 },
      editor.flow.groups.get(id)?.title ?? "",
    ));
  }
  for (const key of editor.flow.wires.keys()) {
    if (view.wires.endsOf(key)) svg.append(s(
      "path", { d: pathOf(view.wires.wayOf(key)), fill: "none", stroke: paint.wire, "stroke-width": 1.75 },
    ));
  }
  for (const id of editor.flow.steps.keys()) svg.append(card(editor, view, id, paint));
  for (const note of editor.flow.notes.values()) {
    const rect = editor.noteRect(note.id);
    svg.append(s("rect", { ...rect, rx: 8, fill: paint.note(note.hue ?? "yellow") }));
    const lines = note.text.split("\n").flatMap((line) => wrap(line, rect.width - 24, 12.5)).slice(0, Math.floor((rect.height - 16) / 18));
    svg.append(...lines.map((line, place) => s(
      "text", { x: rect.x + 12, y: rect.y + 22 + place * 18, fill: paint.ink, "font-size": 12.5 }, line,
    )));
  }
  paint.done();
  return { text: new XMLSerializer().serializeToString(svg), width: frame.width, height: frame.height };
}

/**
 * @param {import("./editor.js").Editor} editor @param {import("./view.js").View} view @param {string} id
 * @param {ReturnType<typeof colours>} paint
 */
function card(editor, view, id, paint) {
  const { x, y, width, height } = editor.rectOf(id);
  const step = /** @type {import("./model.js").Step} */ (editor.flow.steps.get(id));
  const tile = paint.tile(view.hueOf(step.type));
  const group = s("g", { transform: `translate(${x} ${y})` });
  const text = (/** @type {number} */ left, /** @type {number} */ top, /** @type {string} */ words, /** @type {Record<string, string | number>} */ look) => s(
    "text", { x: left, y: top, ...look }, words,
  );
  group.append(
    s("rect", { width, height, rx: 12, fill: paint.surface, stroke: paint.line }),
    s("rect", { x: 12, y: 10, width: 36, height: 36, rx: 10, fill: tile.back }),
    text(58, 25, cutTo(editor.titleOf(id), width - 70, 13), { fill: paint.ink, "font-size": 13, "font-weight": 650 }),
    text(58, 42, cutTo(editor.facets.get(id)?.summary ?? "", width - 70, 11.5), { fill: paint.soft, "font-size": 11.5 }),
    s("line", { x1: 0, x2: width, y1: CARD.header, y2: CARD.header, stroke: paint.line }),
  );
  const symbol = document.getElementById(`type-${step.type}`);
  if (symbol) {
    const picture = s(
      "g",
      {
        transform: "translate(20.5 18.5) scale(0.79)", fill: "none", stroke: tile.ink, color: tile.ink,
        "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round",
      },
    );
    picture.append(...[...symbol.children].map((child) => child.cloneNode(true)));
    group.append(picture);
  }
  if (!editor.types[step.type]?.is_entry) group.append(s(
    "circle", { cx: 0, cy: CARD.input, r: 5, fill: paint.surface, stroke: paint.wire, "stroke-width": 2 },
  ));
  for (const [row, port] of editor.portsOf(id).entries()) {
    const middle = CARD.header + CARD.row * (row + 0.5);
    const count = editor.counters.ports[`${id} ${port.name}`];
    group.append(text(12, middle + 4, cutTo(port.label || port.name, width - 80, 12), { fill: paint.soft, "font-size": 12 }));
    if (count) group.append(text(
      width - 14, middle + 4, String(count),
      { fill: paint.ink, "font-size": 12, "font-weight": 650, "text-anchor": "end" },
    ));
    group.append(s("circle", { cx: width, cy: middle, r: 5, fill: paint.surface, stroke: paint.wire, "stroke-width": 2 }));
  }
  return group;
}

/** About how wide a text is: Chinese letters are as wide as they are high. @param {string} text @param {number} size */
const widthOf = (text, size) => [...text].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 0x2e80 ? 1 : 0.56) * size, 0);

/** @param {string} text @param {number} width @param {number} size */
function cutTo(text, width, size) {
  if (widthOf(text, size) <= width) return text;
  const letters = [...text];
  while (letters.length && widthOf(`${letters.join("")}…`, size) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** @param {string} line @param {number} width @param {number} size @returns {string[]} */
function wrap(line, width, size) {
  const lines = [""];
  for (const part of line.match(/[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+/g) ?? []) {
    const last = lines.length - 1;
    if (widthOf(lines[last] + part, size) > width && lines[last]) lines.push(part);
    else lines[last] += part;
  }
  return lines;
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {Canvas} canvas @param {"svg" | "png" | "json"} kind */
export async function exportAs(canvas, kind) {
  const base = (canvas.data.journey.name || "journey").replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ").trim().slice(0, 80) || "journey";
  if (kind === "json") {
    download(
      new Blob([JSON.stringify(canvas.editor.flow.toDocument(), null, 2)], { type: "application/json" }),
      `${base}.json`,
    );
    return;
  }
  const { text, width, height } = drawing(canvas);
  const svg = new Blob([text], { type: "image/svg+xml" });
  if (kind === "svg") download(svg, `${base}.svg`);
  else download(await painted(svg, width, height), `${base}.png`);
}

/** @param {Blob} svg @param {number} width @param {number} height @returns {Promise<Blob>} */
export async function painted(svg, width, height) {
  const scale = Math.min(2, PIXELS_AT_MOST / Math.max(width, height));
  const picture = new Image();
  picture.src = URL.createObjectURL(svg);
  await picture.decode();
  const page = document.createElement("canvas");
  Object.assign(page, { width: Math.round(width * scale), height: Math.round(height * scale) });
  /** @type {CanvasRenderingContext2D} */ (page.getContext("2d")).drawImage(picture, 0, 0, page.width, page.height);
  URL.revokeObjectURL(picture.src);
  return new Promise((resolve) => { page.toBlob((blob) => resolve(/** @type {Blob} */ (blob)), "image/png"); });
}
