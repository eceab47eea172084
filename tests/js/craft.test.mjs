// What a hand does on the canvas, as ops: adding, splicing, healing, copying, lining up; and finding by a few letters.

import assert from "node:assert/strict";
import { test } from "node:test";

import { alignment, distribution } from "../../static/js/canvas/lines.js";
import { findings } from "../../static/js/canvas/checks.js";
import { pack, pasting, unknownTypes, unpack } from "../../static/js/canvas/clipboard.js";
import { shelf } from "../../static/js/canvas/shelf.js";
import { Editor } from "../../static/js/canvas/editor.js";
import { rank, score } from "../../static/js/canvas/fuzzy.js";
import { CARD, intersects } from "../../static/js/canvas/geometry.js";
import { addition, allowed, deletion, downstream, healing, splicing, upstream } from "../../static/js/canvas/insert.js";
import { dice, journey, TYPES } from "./journeys.mjs";

const next = [{ name: "next", label: "Next" }];
const chain = (more = {}) => new Editor({
  document: {
    schema: 1,
    nodes: [
      { id: "in", type: "entry.event", version: 1, settings: {}, x: 0, y: 0 },
      { id: "wait", type: "wait.duration", version: 1, settings: {}, x: 296, y: 0 },
      { id: "mail", type: "send.inapp", version: 1, settings: {}, x: 592, y: 0 },
      { id: "out", type: "exit", version: 1, settings: {}, x: 888, y: 0 },
    ],
    edges: [{ from: "in", port: "next", to: "wait" }, { from: "wait", port: "next", to: "mail" }, { from: "mail", port: "next", to: "out" }],
    ...more,
  },
  types: TYPES,
  facets: {},
});
const wires = (editor) => [...editor.flow.wires.values()].map(({ from, port, to }) => `${from}.${port}→${to}`).sort();
const shape = (editor) => JSON.stringify([...editor.flow.steps.values()]) + wires(editor);

test("a step added behind a port stands right of it, wired, on free ground", () => {
  const editor = chain();
  editor.commit("Cut", [{ op: "edge-", edge: editor.flow.wireAt("mail", "next") }]);
  const { id, ops } = addition(editor, "action.tag", { after: { id: "mail", port: "next" } });
  editor.commit("Add", ops);
  assert.equal(editor.flow.wireAt("mail", "next").to, id);
  assert.ok(editor.rectOf(id).x >= editor.rectOf("mail").x + CARD.width);
  for (const other of ["in", "wait", "mail", "out"]) assert.ok(!intersects(editor.rectOf(id), editor.rectOf(other)));
});

test("a step on a wire is spliced in, and what follows moves right only as far as needed", () => {
  const editor = chain();
  const before = shape(editor);
  const { id, ops } = addition(editor, "wait.duration", { on: "wait next" });
  editor.commit("Insert", ops);
  assert.equal(editor.flow.wireAt("wait", "next").to, id);
  assert.equal(editor.flow.wireAt(id, "next").to, "mail");
  assert.equal(editor.rectOf("wait").x, 296);
  assert.ok(editor.rectOf("mail").x > 592 && editor.rectOf("out").x - editor.rectOf("mail").x === 296);
  editor.undo();
  assert.equal(shape(editor), before);
});

test("where there is room already nothing moves", () => {
  const editor = chain();
  const moved = editor.flow.steps.get("out");
  editor.commit("Move", [{ op: "node=", id: "out", before: { x: moved.x }, after: { x: 2000 } }]);
  const { ops } = addition(editor, "action.tag", { on: "mail next" });
  assert.equal(ops.filter((op) => op.op === "node=").length, 0);
});

test("an entry is offered neither behind a port nor on a wire, an end not on a wire", () => {
  const editor = chain();
  assert.ok(allowed(editor, {}).includes("entry.event"));
  assert.ok(!allowed(editor, { after: { id: "in", port: "next" } }).includes("entry.event"));
  assert.ok(allowed(editor, { after: { id: "in", port: "next" } }).includes("exit"));
  assert.ok(!allowed(editor, { on: "in next" }).includes("exit"));
});

test("a loose step dropped on a wire is spliced in; a wired one is not", () => {
  const editor = chain();
  editor.commit("Add", addition(editor, "action.tag", { at: { x: 0, y: 400 } }).ops);
  const id = [...editor.flow.steps.keys()].at(-1);
  editor.commit("Splice", splicing(editor, id, "in next"));
  assert.deepEqual(wires(editor).filter((one) => one.includes(id)).length, 2);
  assert.deepEqual(splicing(editor, "mail", "in next"), []);
});

test("deleting heals the path, also over several steps in a row", () => {
  const editor = chain();
  editor.commit("Delete", healing(editor.flow, ["wait", "mail"]));
  assert.deepEqual(wires(editor), ["in.next→out"]);
  editor.undo();
  assert.deepEqual(wires(editor), ["in.next→wait", "mail.next→out", "wait.next→mail"]);
});

test("a branch whose ways part is not guessed, a circle does not become a wire to itself", () => {
  const editor = new Editor({
    types: TYPES,
    document: { schema: 1, nodes: ["in", "ask", "a", "b"].map((id) => ({ id, type: id === "in" ? "entry.event" : "condition" })),
      edges: [{ from: "in", port: "next", to: "ask" }, { from: "ask", port: "yes", to: "a" }, { from: "ask", port: "no", to: "b" }, { from: "a", port: "yes", to: "b" }, { from: "b", port: "yes", to: "a" }] },
  });
  editor.commit("Delete", healing(editor.flow, ["ask"]));
  assert.deepEqual(wires(editor), ["a.yes→b", "b.yes→a"]);
  editor.commit("Delete", healing(editor.flow, ["b"]));
  assert.deepEqual(wires(editor), []);
});

test("whatever is deleted comes back by one undo", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const roll = dice(seed);
    const editor = new Editor(journey(24, { seed }));
    const canonical = () => JSON.stringify([...editor.flow.steps.values()].map((step) => step.id).sort()) + wires(editor) + editor.flow.notes.size + [...editor.flow.groups.values()].map((group) => group.nodes.join());
    const before = canonical();
    const keys = [...editor.flow.steps.keys(), ...editor.flow.wires.keys(), "note:n1", ...[...editor.flow.groups.keys()].map((id) => `group:${id}`)];
    editor.commit("Delete", deletion(editor, keys.filter(() => roll(3) === 0)));
    for (const wire of editor.flow.wires.values()) assert.ok(editor.flow.steps.has(wire.from) && editor.flow.steps.has(wire.to) && wire.from !== wire.to, `seed ${seed}`);
    editor.undo();
    assert.equal(canonical(), before, `seed ${seed}`);
  }
});

test("upstream and downstream hold the step itself and end in circles", () => {
  const editor = chain();
  assert.deepEqual(downstream(editor, "mail"), ["mail", "out"]);
  assert.deepEqual(upstream(editor, "mail"), ["mail", "wait", "in"]);
});

test("a copy has ids of its own, keeps its inner wires and leaves the others", () => {
  const editor = chain({ notes: [{ id: "n", text: "why", node: "wait" }], groups: [{ id: "g", title: "G", nodes: ["wait", "mail"] }] });
  const parts = unpack(pack(editor, ["wait", "mail"]));
  const { ops, keys } = pasting(editor, parts, { at: { x: 0, y: 500 } });
  editor.commit("Paste", ops, { select: keys });
  assert.equal(editor.flow.steps.size, 6);
  const [wait, mail] = keys;
  assert.equal(editor.flow.wireAt(wait, "next").to, mail);
  assert.equal(editor.flow.wireAt(mail, "next"), undefined);
  assert.equal(editor.rectOf(mail).x - editor.rectOf(wait).x, 296);
  assert.equal([...editor.flow.notes.values()].filter((note) => note.node === wait).length, 1);
  assert.deepEqual([...editor.flow.groups.values()].at(-1).nodes, [wait, mail]);
});

test("settings that name a copied step follow the copy, others stay", () => {
  const editor = chain();
  const parts = unpack(JSON.stringify({ nodes: [
    { id: "jump", type: "condition", settings: { node: "mail", rule: { all: [{ message: "mail", outcome: "opened" }, { message: "else", outcome: "opened" }] } } },
    { id: "mail", type: "send.inapp", settings: { text: "mail" } }] }));
  const { ops, keys } = pasting(editor, parts);
  editor.commit("Paste", ops);
  const { settings } = editor.flow.steps.get(keys[0]);
  assert.deepEqual(settings, { node: keys[1], rule: { all: [{ message: keys[1], outcome: "opened" }, { message: "else", outcome: "opened" }] } });
  assert.equal(editor.flow.steps.get(keys[1]).settings.text, "mail");
});

test("text of strangers is taken only when it holds steps, and unknown types are named", () => {
  const editor = chain();
  for (const text of ["", "hello", "{", "[1, 2]", '{"nodes": 3}', '{"nodes": [{"id": "<b>", "type": "exit"}]}', "null", '{"nodes": []}']) {
    assert.equal(unpack(text), null, text);
  }
  const parts = unpack('{"nodes": [{"id": "a", "type": "acme.tier", "x": "left"}], "edges": [{"from": "a", "port": "x", "to": "gone"}, 7]}');
  assert.deepEqual(unknownTypes(editor, parts), ["acme.tier"]);
  assert.ok(Number.isFinite(pasting(editor, parts).ops[0].node.x));
});

test("the shape says at once what is open, out of reach, or goes round", () => {
  const editor = chain();
  assert.deepEqual(findings(editor).map(({ node, code }) => [node, code]), []);
  editor.commit("Cut", [{ op: "edge-", edge: editor.flow.wireAt("wait", "next") }]);
  assert.deepEqual(findings(editor).map(({ node, code }) => `${node} ${code}`), ["wait port.open", "mail node.unreachable", "out node.unreachable"]);
  const ring = new Editor({ types: { ...TYPES, "wait.duration": { ...TYPES["wait.duration"], waits: true }, condition: { ...TYPES.condition, waits: false }, "entry.event": { ...TYPES["entry.event"], waits: false } },
    document: { nodes: [{ id: "in", type: "entry.event" }, { id: "a", type: "condition" }, { id: "b", type: "condition" }], edges: [{ from: "in", port: "next", to: "a" }, { from: "a", port: "yes", to: "b" }, { from: "b", port: "yes", to: "a" }, { from: "a", port: "no", to: "a" }] } });
  assert.deepEqual(findings(ring).filter(({ code }) => code === "cycle.no_wait").length, 1);
});

test("lining up and spreading touch nothing but places", () => {
  const editor = chain();
  editor.commit("Mess", [{ op: "node=", id: "mail", before: { x: 592, y: 0 }, after: { x: 400, y: 240 } }]);
  editor.commit("Top", alignment(editor, ["in", "wait", "mail"], "top"));
  assert.deepEqual(["in", "wait", "mail"].map((id) => editor.rectOf(id).y), [0, 0, 0]);
  editor.commit("Spread", distribution(editor, ["in", "wait", "mail", "out"], "across"));
  const lefts = ["in", "wait", "mail", "out"].map((id) => editor.rectOf(id).x).sort((a, b) => a - b);
  assert.deepEqual(lefts, [0, 296, 592, 888]);
  assert.deepEqual(alignment(editor, ["in"], "left"), []);
});

test("a few letters find what is meant, the beginning of a word first", () => {
  assert.ok(score("wai", "Wait for event") > score("wai", "A waiter"));
  assert.ok(score("wfe", "Wait for event") > 0);
  assert.equal(score("xyz", "Wait for event"), 0);
  assert.ok(score("等待", "等待事件") > 0);
  assert.equal(score("", "anything"), 1);
  assert.deepEqual(rank("mail", ["Wait", "Send e-mail", "Mailbox"], (text) => [text]), ["Mailbox", "Send e-mail"]);
});

test("a piece is kept under its name by whoever keeps it, and what cannot be read or kept does no harm", () => {
  const store = new Map();
  const storage = { getItem: (key) => store.get(key) ?? null, setItem: (key, value) => store.set(key, value) };
  const editor = chain();
  const text = pack(editor, ["wait", "mail"]);
  const [mine, hers] = [shelf(1, storage), shelf(2, storage)];
  assert.ok(mine.keep("Reminder", text) && mine.keep("A wait", pack(editor, ["wait"])) && mine.keep("Reminder", text));
  assert.deepEqual(mine.list().map(([name]) => name), ["A wait", "Reminder"]);
  assert.deepEqual(hers.list(), []);
  const { ops } = pasting(editor, unpack(mine.list()[1][1]));
  assert.deepEqual(ops.map(({ op }) => op), ["node+", "node+", "edge+"]);
  mine.forget("A wait");
  assert.equal(mine.list().length, 1);
  store.set("canvas pieces 2", '[["x", "no piece"], 7, null]');
  assert.deepEqual(hers.list(), []);
  assert.equal(shelf(3, { getItem: () => null, setItem: () => { throw new Error("full"); } }).keep("a", text), false);
});
