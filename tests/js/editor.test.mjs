// One door for changes: named steps of undo, a selection that follows, a page that only reads.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Editor } from "../../static/js/canvas/editor.js";
import { kindOf } from "../../static/js/canvas/model.js";
import { edit, removal } from "../../static/js/canvas/ops.js";
import { journey } from "./journeys.mjs";

const clocked = (more = {}) => {
  const clock = { at: 0 };
  return { clock, editor: new Editor({ ...journey(20), now: () => clock.at, ...more }) };
};
const moveTo = (editor, id, x) => editor.commit("Move", [edit("node", editor.flow.steps.get(id), { x })], { key: `move ${id}` });

test("undo and redo follow the names of what was done", () => {
  const { editor } = clocked();
  editor.commit("Rename", [edit("node", editor.flow.steps.get("s1"), { name: "Hello" })]);
  assert.equal(editor.titleOf("s1"), "Hello");
  assert.equal(editor.history.undoLabel, "Rename");
  assert.equal(editor.undo(), "Rename");
  assert.notEqual(editor.titleOf("s1"), "Hello");
  assert.equal(editor.history.redoLabel, "Rename");
  assert.equal(editor.redo(), "Rename");
  assert.equal(editor.titleOf("s1"), "Hello");
});

test("nudges within 800 ms are one step, a pause begins another", () => {
  const { clock, editor } = clocked();
  const start = editor.rectOf("s1").x;
  for (let x = 1; x <= 5; x += 1) {
    clock.at += 700;
    moveTo(editor, "s1", x);
  }
  assert.equal(editor.history.past.length, 1);
  clock.at += 801;
  moveTo(editor, "s1", 9);
  assert.equal(editor.history.past.length, 2);
  editor.undo();
  assert.equal(editor.rectOf("s1").x, 5);
  editor.undo();
  assert.equal(editor.rectOf("s1").x, start);
});

test("what comes after an undo does not melt into what was undone", () => {
  const { clock, editor } = clocked();
  moveTo(editor, "s1", 1);
  moveTo(editor, "s2", 1);
  editor.undo();
  editor.redo();
  clock.at += 10;
  moveTo(editor, "s2", 2);
  assert.equal(editor.history.past.length, 3);
});

test("a new edit forgets what had been undone", () => {
  const { editor } = clocked();
  moveTo(editor, "s1", 1);
  editor.undo();
  moveTo(editor, "s2", 1);
  assert.equal(editor.redo(), null);
});

test("a page that only reads commits nothing", () => {
  const { editor } = clocked({ mode: "review" });
  assert.equal(moveTo(editor, "s1", 1), false);
  assert.equal(editor.undo(), null);
  assert.notEqual(editor.rectOf("s1").x, 1);
});

test("what goes away is selected no longer", () => {
  const { editor } = clocked();
  editor.select(["s1", "s2", "note:n1", "group:g1", "nobody"]);
  assert.equal(editor.selection.size, 4);
  editor.commit("Delete", removal(editor.flow, ["s1"]));
  assert.deepEqual([...editor.selection], ["s2", "note:n1", "group:g1"]);
});

test("listeners hear what changed and why", () => {
  const { editor } = clocked();
  const heard = [];
  const off = editor.on("change", ({ cause, label, touched }) => heard.push([cause, label, [...touched.nodes].join()]));
  moveTo(editor, "s1", 3);
  editor.undo();
  off();
  editor.redo();
  assert.deepEqual(heard, [["commit", "Move", "s1"], ["undo", "Move", "s1"]]);
});

test("a wire whose port is no longer declared keeps a row of its own", () => {
  const { editor } = clocked();
  const [wire] = editor.flow.wires.values();
  const id = wire.from;
  const high = editor.rectOf(id).height;
  editor.setFacets({ [id]: { title: "T", ports: [{ name: "other", label: "Other" }] } });
  const ports = editor.portsOf(id);
  assert.deepEqual(ports.map((port) => Boolean(port.gone)), [false, ...editor.flow.wiresFrom(id).map(() => true)]);
  assert.equal(ports[1].name, wire.port);
  assert.ok(editor.rectOf(id).height >= high);
});

test("keys of the selection say what they name", () => {
  assert.deepEqual(["s1", "s1 next", "note:a", "group:b"].map(kindOf), ["step", "wire", "note", "group"]);
});

test("a journey saved and opened again is the same", () => {
  const { editor } = clocked();
  const before = editor.flow.toDocument();
  editor.load(structuredClone(before));
  assert.deepEqual(editor.flow.toDocument(), before);
});
