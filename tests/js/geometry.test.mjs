// Routes, snapping, finding what is near, laying out, what may be joined: numbers and graphs, no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Editor } from "../../static/js/canvas/editor.js";
import { intersects } from "../../static/js/canvas/geometry.js";
import { overlayFor, stepOf, warmthOf } from "../../static/js/canvas/overlay.js";
import { Places } from "../../static/js/canvas/places.js";
import { distance, length, middleOf, pathOf, route } from "../../static/js/canvas/route.js";
import { refusals } from "../../static/js/canvas/rules.js";
import { snap } from "../../static/js/canvas/snap.js";
import { columns, readingOrder } from "../../static/js/canvas/tree.js";
import { TYPES, dice, journey } from "./journeys.mjs";

const card = (x, y, height = 88) => ({ x, y, width: 224, height });
const upright = (way) => way.every((at, place) => !place || at.x === way[place - 1].x || at.y === way[place - 1].y);

/** Whether a run of the way goes through the inside of a card. */
function crosses(way, rect) {
  return way.slice(1).some((at, place) => intersects(
    { x: Math.min(at.x, way[place].x), y: Math.min(at.y, way[place].y),
      width: Math.abs(at.x - way[place].x) || 0.1, height: Math.abs(at.y - way[place].y) || 0.1 },
    rect,
  ));
}

test("a wire between cards at one height is straight", () => {
  assert.deepEqual(route({ start: { x: 224, y: 69 }, end: { x: 312, y: 69 }, lane: 0 }), [{ x: 224, y: 69 }, { x: 312, y: 69 }]);
});

test("every wire runs at right angles from its port to its card", () => {
  const roll = dice(5);
  for (let turn = 0; turn < 300; turn += 1) {
    const [start, end] = [{ x: roll(2000), y: roll(900) }, { x: roll(2000), y: roll(900) }];
    const way = route({ start, end, lane: roll(4), lanes: 4, phase: roll(5) - 2, source: card(start.x - 224, start.y - 69), target: card(end.x, end.y - 28) });
    assert.deepEqual([way[0], way.at(-1)], [start, end]);
    assert.ok(upright(way), JSON.stringify(way));
    assert.ok(way[1].x >= start.x && way.at(-2).x <= end.x, "leaves to the right, arrives from the left");
  }
});

test("a wire over several columns goes around the card that stands in its way", () => {
  const wall = card(312, 0);
  const way = route({ start: { x: 224, y: 40 }, end: { x: 624, y: 40 }, lane: 0, obstacles: [wall], source: card(0, -29), target: card(624, 12) });
  assert.ok(!crosses(way, wall), JSON.stringify(way));
});

test("between cards that stand close together a wire still runs forward", () => {
  const way = route({ start: { x: 224, y: 69 }, end: { x: 240, y: 28 }, lane: 0, source: card(0, 0), target: card(240, 0) });
  assert.deepEqual(way.map((at) => at.x), [224, 232, 232, 240]);
});

test("a wire back to an earlier card runs below and never through the two cards", () => {
  const [source, target] = [card(624, 0), card(0, 0)];
  const way = route({ start: { x: 848, y: 69 }, end: { x: 0, y: 28 }, lane: 0, source, target });
  assert.ok(Math.max(...way.map((at) => at.y)) > 88);
  assert.ok(!crosses(way, source) && !crosses(way, target));
});

test("wires of one card that go the same way do not cross each other", () => {
  for (const side of [-1, 1]) {
    const ways = [0, 1, 2].map((lane) => route({
      start: { x: 224, y: 69 + 26 * lane }, end: { x: 330, y: 69 + side * 400 + 120 * lane }, lane, lanes: 3,
    }));
    for (const [one, other] of [[0, 1], [1, 2], [0, 2]]) {
      const meets = ways[one].slice(1).some((at, place) => crosses(ways[other], {
        x: Math.min(at.x, ways[one][place].x), y: Math.min(at.y, ways[one][place].y),
        width: Math.abs(at.x - ways[one][place].x), height: Math.abs(at.y - ways[one][place].y),
      }));
      assert.ok(!meets, `ports ${one} and ${other}, side ${side}`);
    }
  }
});

test("the middle of a way is half its length from the start, and on it", () => {
  const way = [{ x: 0, y: 0 }, { x: 30, y: 0 }, { x: 30, y: 100 }, { x: 60, y: 100 }];
  assert.equal(length(way), 160);
  assert.deepEqual(middleOf(way), { x: 30, y: 50 });
  assert.equal(distance(way, { x: 40, y: 50 }), 10);
  assert.match(pathOf(way), /^M0 0L21 0Q30 0 30 9L30 91Q30 100 39 100L60 100$/);
});

test("a card near a neighbour's edge comes into line with it, else onto the grid", () => {
  const { dx, dy, lines } = snap(card(3, 205), [card(0, 0)]);
  assert.deepEqual([dx, dy], [-3, 3]);
  assert.deepEqual(lines, [{ x: 0, from: 0, to: 296 }]);
  assert.deepEqual(snap(card(101, 333), [card(1000, 1000)]), { dx: 3, dy: 3, lines: [] });
});

test("a card comes to rest where the wire into it is straight", () => {
  const { dy } = snap(card(400, 44), [], { levels: [69] });
  assert.equal(44 + dy + 28, 69);
});

test("far from everything nothing pulls, and the pull does not grow with distance", () => {
  assert.deepEqual(snap(card(9, 0), [card(0, 400)], { zoom: 1 }).dx, -1);
  assert.equal(snap(card(9, 0), [card(0, 400)], { zoom: 0.5 }).dx, -9);
});

test("what is near a place is found as if every card had been asked", () => {
  const roll = dice(9);
  const places = new Places();
  const all = new Map();
  for (let turn = 0; turn < 900; turn += 1) {
    const [id, rect] = [`s${roll(300)}`, card(roll(9000) - 3000, roll(9000) - 3000)];
    if (roll(6) === 0) {
      places.delete(id);
      all.delete(id);
    } else {
      places.set(id, rect);
      all.set(id, rect);
    }
  }
  for (let turn = 0; turn < 60; turn += 1) {
    const area = { x: roll(9000) - 3000, y: roll(9000) - 3000, width: 10 + roll(turn * 200), height: 10 + roll(3000) };
    const found = [...all].filter(([, rect]) => intersects(rect, area)).map(([id]) => id);
    assert.deepEqual([...places.meeting(area)].sort(), found.sort());
  }
});

const small = (edges, types = {}) => new Editor({
  types: TYPES,
  document: {
    nodes: ["a", "b", "c", "d"].map((id) => ({ id, type: types[id] ?? "action.tag", settings: {} })),
    edges: edges.map(([from, port, to]) => ({ from, port, to })),
  },
});

test("a loop needs a step that waits; an entry is led to by nobody", () => {
  const editor = small([["a", "next", "b"], ["b", "next", "c"]], { a: "entry.event" });
  assert.equal(refusals(editor, "c")("b"), "loop");
  assert.equal(refusals(editor, "c")("c"), "itself");
  assert.equal(refusals(editor, "c")("a"), "entry");
  assert.equal(refusals(editor, "c")("d"), null);
  const patient = small([["a", "next", "b"], ["b", "next", "c"]], { b: "wait.duration" });
  assert.equal(refusals(patient, "c")("a"), null);
  assert.equal(refusals(patient, "c")("b"), null);
});

test("a layout reads the journey from its entry, port by port", () => {
  const editor = small([["d", "yes", "b"], ["d", "no", "a"], ["b", "next", "c"], ["a", "next", "c"]], { d: "condition" });
  const { nodes, edges } = readingOrder(editor, ["a", "b", "c", "d"]);
  assert.deepEqual(nodes.map((node) => node.id), ["d", "b", "c", "a"]);
  assert.equal(edges.length, 4);
});

test("the plain layout puts no card upon another, whatever the loops", () => {
  const { document, facets, types } = journey(120, { placed: false });
  const editor = new Editor({ document, facets, types });
  const graph = readingOrder(editor, editor.flow.steps.keys());
  const rects = columns(graph).map(([id, x, y]) => ({ ...editor.rectOf(id), x, y }));
  assert.equal(rects.length, 120);
  for (const [place, rect] of rects.entries()) assert.ok(!rects.slice(place + 1).some((other) => intersects(other, rect)));
});

test("heat is warmest where most people came, or where most of them left", () => {
  const counters = { nodes: { a: { entered: 100, left: 1 }, b: { entered: 10, left: 5 } }, ports: { "a next": 99, "b next": 5 } };
  assert.deepEqual(warmthOf(counters, "volume"), { a: 1, b: 0.1 });
  assert.equal(warmthOf(counters, "loss").b, 1);
  assert.deepEqual([0, 0.01, 0.5, 1].map(stepOf), [0, 1, 3, 5]);
  const heat = overlayFor("heat", { by: "volume" }, counters);
  assert.ok(heat.wire("a next").width > heat.wire("b next").width);
  assert.equal(heat.wire("c next").className, "dry");
});
