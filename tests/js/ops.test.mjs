// Every change can be taken back, whatever the change is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Flow, wireKey } from "../../static/js/canvas/model.js";
import { applyAll, compact, edit, editSettings, invertAll, removal, touched } from "../../static/js/canvas/ops.js";
import { dice, journey } from "./journeys.mjs";

/** Order means nothing in a document, so it is left out of comparisons. */
export function plain(flow) {
  const sorted = (items) => [...items].sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
  const { nodes, edges, notes = [], groups = [], ...rest } = flow.toDocument();
  return { ...rest, nodes: sorted(nodes), edges: sorted(edges), notes: sorted(notes), groups: sorted(groups) };
}

/** One made-up edit that fits the flow as it is. */
function edits(flow, roll, turn) {
  const steps = [...flow.steps.values()];
  const step = steps[roll(steps.length)];
  const wires = [...flow.wires.values()];
  const choices = [
    () => [{ op: "node+", node: { id: `new${turn}`, type: "exit", version: 1, settings: {}, x: 8, y: roll(900) } }],
    () => [edit("node", step, { x: roll(4000), y: roll(4000) })],
    () => [edit("node", step, { name: roll(2) ? `Name ${turn}` : null, settings: { turn } })],
    () => removal(flow, steps.filter(() => roll(20) === 0).map((one) => one.id)),
    () => (wires.length ? [{ op: "edge-", edge: wires[roll(wires.length)] }] : []),
    () => (flow.wireAt(step.id, "p") ? [] : [{ op: "edge+", edge: { from: step.id, port: "p", to: steps[0].id } }]),
    () => [{ op: "note+", note: { id: `note${turn}`, text: "x", node: step.id } }],
    () => [...flow.notes.values()].slice(0, 1).map((note) => edit("note", note, { text: `said ${turn}`, x: turn })),
    () => [{ op: "group+", group: { id: `group${turn}`, title: "A", nodes: [step.id] } }],
    () => [editSettings(flow, { priority: roll(100), goal: roll(2) ? { event: "paid" } : null })],
  ];
  return choices[roll(choices.length)]();
}

test("a random walk of edits, taken back, leaves the flow as it was", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const roll = dice(seed);
    const flow = Flow.fromDocument(journey(30, { seed }).document);
    const before = plain(flow);
    const done = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const ops = edits(flow, roll, turn);
      applyAll(flow, ops);
      done.push(...ops);
    }
    const after = plain(flow);
    applyAll(flow, invertAll(done));
    assert.deepEqual(plain(flow), before, `seed ${seed}`);
    applyAll(flow, done);
    assert.deepEqual(plain(flow), after, `seed ${seed}, done again`);
  }
});

test("the wires' indexes stay true through every edit", () => {
  const roll = dice(3);
  const flow = Flow.fromDocument(journey(30).document);
  for (let turn = 0; turn < 200; turn += 1) applyAll(flow, edits(flow, roll, turn));
  for (const [key, wire] of flow.wires) {
    assert.ok(flow.outgoing.get(wire.from)?.has(key) && flow.incoming.get(wire.to)?.has(key));
  }
  const counted = [...flow.incoming.values()].reduce((sum, keys) => sum + keys.size, 0);
  assert.equal(counted, flow.wires.size);
});

test("a change that does not fit changes nothing at all", () => {
  const flow = Flow.fromDocument(journey(10).document);
  const before = plain(flow);
  const step = flow.steps.get("s1");
  assert.throws(() => applyAll(flow, [edit("node", step, { x: 5 }), { op: "node+", node: step }]), /s1 is there/);
  assert.throws(() => applyAll(flow, [{ op: "node=", id: "nobody", before: {}, after: {} }]), /nobody is not there/);
  assert.deepEqual(plain(flow), before);
});

test("a port leads to one place only", () => {
  const flow = Flow.fromDocument({ nodes: [{ id: "a" }, { id: "b" }], edges: [{ from: "a", port: "next", to: "b" }] });
  assert.throws(() => applyAll(flow, [{ op: "edge+", edge: { from: "a", port: "next", to: "a" } }]), /is taken/);
});

test("unknown fields of a document survive being opened and saved", () => {
  const document = {
    schema: 1, future: { a: 1 }, settings: { mood: "calm" }, nodes: [{ id: "a", type: "exit", colour: "red" }],
    edges: [{ from: "a", port: "p q", to: "gone", weight: 2 }], notes: [{ id: "n", text: "t", pin: true }],
    groups: [{ id: "g", title: "G", nodes: ["a"], folded: true }],
  };
  assert.deepEqual(Flow.fromDocument(structuredClone(document)).toDocument(), document);
});

test("edits of one thing become one edit, and an edit that comes to nothing goes", () => {
  const step = { id: "a", x: 0, y: 0 };
  const there = edit("node", step, { x: 8 });
  const further = { ...there, before: { x: 8, y: 0 }, after: { x: 16, y: 4 } };
  assert.deepEqual(compact([there, further]), [{ op: "node=", id: "a", before: { x: 0, y: 0 }, after: { x: 16, y: 4 } }]);
  assert.deepEqual(compact([there, { ...there, before: { x: 8 }, after: { x: 0 } }]), []);
});

test("compacting a long history changes nothing about where it leads", () => {
  const roll = dice(11);
  const flow = Flow.fromDocument(journey(20).document);
  const other = Flow.fromDocument(journey(20).document);
  const done = [];
  for (let turn = 0; turn < 80; turn += 1) {
    const ops = edits(flow, roll, turn);
    applyAll(flow, ops);
    done.push(...ops);
  }
  const short = compact(done);
  applyAll(other, short);
  assert.deepEqual(plain(other), plain(flow));
  applyAll(other, invertAll(short));
  assert.deepEqual(plain(other), plain(Flow.fromDocument(journey(20).document)));
});

test("a step that goes takes its wires and leaves its notes and groups in order", () => {
  const flow = Flow.fromDocument(journey(30).document);
  const ops = removal(flow, ["s1", "s2", "s3"]);
  applyAll(flow, ops);
  assert.ok(![...flow.wires.values()].some((wire) => ["s1", "s2", "s3"].includes(wire.from) || wire.to === "s2"));
  assert.equal(flow.notes.get("n1").node, undefined);
  assert.equal(flow.groups.size, 0);
  assert.ok(touched(ops).nodes.has("s1") && touched(ops).notes.has("n1"));
});

test("a wire's key names the port even when the port has spaces", () => {
  assert.equal(wireKey("a", "paid twice"), "a paid twice");
});
