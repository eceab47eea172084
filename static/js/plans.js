// Plans: the line of a target by day, and a form that asks only for what its metric needs. Numbers come with the page.
import { pageData } from "./dom.js";
import { _ } from "./i18n.js";

const HEIGHT = 220;
const DAY = 86_400;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A token as a colour the canvas understands: the page's scheme decides which of its two it is.
 * @param {string} token @param {HTMLElement} place
 */
function painted(token, place) {
  const probe = document.createElement("span");
  probe.style.setProperty("color", `var(${token})`);
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found || colour(token);
}

/** @param {string} day */
const seconds = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;

/**
 * The days of the chart, what was counted, and the straight way: both over the plan's whole length.
 * @param {{days: string[], values: number[], first: string, deadline: string, baseline: number, target: number}} line
 */
function columns(line) {
  const last = Math.max(seconds(line.deadline), seconds(line.days.at(-1) ?? line.deadline));
  const begin = Math.min(seconds(line.first), seconds(line.days[0] ?? line.first));
  const known = new Map(line.days.map((day, place) => [seconds(day), line.values[place]]));
  const way = seconds(line.deadline) - seconds(line.first) + DAY;
  const [times, values, straight] = [[], [], []].map((one) => /** @type {(number | null)[]} */ (one));
  for (let at = begin; at <= last; at += DAY) {
    const share = (at + DAY - seconds(line.first)) / way;
    times.push(at);
    values.push(known.get(at) ?? null);
    straight.push(share > 0 && share <= 1 ? line.baseline + (line.target - line.baseline) * share : null);
  }
  return [times, values, straight];
}

function draw() {
  const place = document.getElementById("plot");
  const line = pageData("plan-line");
  const uPlot = /** @type {any} */ (window).uPlot;
  if (!place || !line || !uPlot) return;
  place.replaceChildren();
  const [ink, grid, accent, wire] = ["--soft", "--line", "--accent", "--wire"].map((one) => painted(one, place));
  const language = document.documentElement.lang;
  const days = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", timeZone: "UTC" });
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1, notation: "compact" });
  const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  /** @param {unknown} _plot @param {number | null} value */
  const told = (_plot, value) => (value === null || value === undefined ? "–" : exact.format(value));
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true } },
      series: [
        { label: _("Day"), value: (/** @type {unknown} */ _plot, /** @type {number | null} */ at) => (at ? days.format(at * 1000) : "–") },
        { label: _("Reached"), stroke: accent, width: 2, value: told, points: { show: line.days.length < 3 } },
        { label: _("The straight way"), stroke: wire, width: 1.5, dash: [5, 5], value: told, points: { show: false } },
      ],
      axes: [
        { ...axis, values: (/** @type {unknown} */ _plot, /** @type {number[]} */ ticks) => ticks.map((at) => days.format(at * 1000)), space: 70, incrs: [1, 2, 7, 14, 28, 56, 112, 364].map((one) => one * DAY) },
        { ...axis, size: 54, values: (/** @type {unknown} */ _plot, /** @type {number[]} */ ticks) => ticks.map((one) => numbers.format(one)) },
      ],
    },
    columns(line),
    place,
  );
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
}

/** Fields that a metric does not use are out of the way; the server leaves them out as well. */
function fit() {
  for (const form of document.querySelectorAll(".plan-form")) {
    const metric = /** @type {HTMLSelectElement | null} */ (form.querySelector("[name='measure.metric']"))?.value ?? "";
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-with]"))) {
      part.hidden = !(part.dataset.with ?? "").split(" ").includes(metric);
    }
  }
}

document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.name === "measure.metric") fit();
});
document.addEventListener("htmx:after:swap", () => {
  fit();
  /** @type {HTMLElement | null} */ (document.querySelector(".plan-form [aria-invalid]"))?.focus();
  if (document.getElementById("plot")?.childElementCount === 0) draw();
});
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
fit();
if (document.readyState === "complete") draw();
else window.addEventListener("load", draw);
