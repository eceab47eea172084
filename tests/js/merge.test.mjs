// Two people in one draft: what can be put together is, what cannot is asked, and nothing disappears unsaid.

import assert from "node:assert/strict";
import { test } from "node:test";

import { difference, merge, same } from "../../static/js/canvas/merge.js";
import { Flow } from "../../static/js/canvas/model.js";
import { applyAll } from "../../static/js/canvas/ops.js";
import { dice } from "./journeys.mjs";

const sorted = (document) => {
  const by = (key) => (one, other) => (key(one) < key(other) ? -1 : 1);
  const wire = (one) => `${one.from} ${one.port}`;
  return { ...document, settings: document.settings ?? {}, nodes: [...(document.nodes ?? [])].sort(by((one) => one.id)), edges: [...(document.edges ?? [])].sort(by(wire)),
    notes: [...(document.notes ?? [])].sort(by((one) => one.id)), groups: [...(document.groups ?? [])].sort(by((one) => one.id)) };
};
const alike = (one, other, text) => assert.ok(same(sorted(one), sorted(other)), text ?? JSON.stringify([one, other], null, 1));
const copy = (value) => structuredClone(value);

function made(roll, size = 8) {
  const nodes = Array.from({ length: size }, (_, place) => ({ id: `s${place}`, type: "split", version: 1, settings: { n: place }, x: place * 300, y: 0 }));
  const edges = nodes.slice(1).map((node, place) => ({ from: `s${place}`, port: "next", to: node.id }));
  return { schema: 1, settings: { priority: 50 }, nodes, edges, notes: [{ id: "n", text: "hello" }], groups: [{ id: "g", title: "G", nodes: ["s1", "s2"] }] };
}

/** Something done to a document; only to steps whose number leaves this rest by two, if given. */
function meddle(document, roll, { rest = null, name = "m" } = {}) {
  const next = copy(document);
  for (let turn = 0; turn < 4; turn += 1) {
    const mine = next.nodes.filter((node) => rest === null || Number(node.id.slice(1)) % 2 === rest);
    const node = mine[roll(mine.length)];
    if (!node) continue;
    const deed = roll(rest === null ? 6 : 4);
    if (deed === 0) node.settings = { ...node.settings, by: `${name}${roll(9)}` };
    else if (deed === 1) node.name = `${name}${roll(9)}`;
    else if (deed === 2) node.x = roll(1000);
    else if (deed === 3) next.nodes.push({ id: `${name}${roll(1e6)}${rest ?? ""}`, type: "exit", version: 1, settings: {}, x: 0, y: 0 });
    else if (deed === 4) {
      next.nodes = next.nodes.filter((one) => one !== node);
      next.edges = next.edges.filter((wire) => wire.from !== node.id && wire.to !== node.id);
    } else {
      next.edges = next.edges.filter((wire) => wire.from !== node.id);
      next.edges.push({ from: node.id, port: "next", to: next.nodes[roll(next.nodes.length)].id });
    }
  }
  return next;
}

test("what only one of the two changed is what comes out", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const roll = dice(seed);
    const base = made(roll);
    const changed = meddle(base, roll);
    const one = merge(base, changed, base);
    const other = merge(base, base, changed);
    assert.deepEqual([one.conflicts, other.conflicts], [[], []], `seed ${seed}`);
    alike(one.document, changed, `mine, seed ${seed}`);
    alike(other.document, changed, `theirs, seed ${seed}`);
    alike(merge(base, changed, copy(changed)).document, changed, `both, seed ${seed}`);
  }
});

test("work on different steps is put together without a question, and none of it is missing", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const roll = dice(seed);
    const base = made(roll);
    const mine = meddle(base, roll, { rest: 0, name: "a" });
    const theirs = meddle(base, roll, { rest: 1, name: "b" });
    const { document, conflicts } = merge(base, mine, theirs);
    assert.deepEqual(conflicts, [], `seed ${seed}`);
    const found = new Map(document.nodes.map((node) => [node.id, node]));
    const old = new Map(base.nodes.map((node) => [node.id, node]));
    for (const side of [mine, theirs]) {
      for (const node of side.nodes) if (!same(old.get(node.id), node)) assert.ok(same(found.get(node.id), node), `seed ${seed} ${node.id}`);
    }
  }
});

test("whatever two people do, no wire hangs and no id stands twice; a choice decides every question", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const roll = dice(seed);
    const base = made(roll);
    const mine = meddle(base, roll, { name: "a" });
    const theirs = meddle(base, roll, { name: "b" });
    const asked = merge(base, mine, theirs).conflicts;
    for (const side of ["mine", "theirs"]) {
      const { document } = merge(base, mine, theirs, new Map(asked.map(({ key }) => [key, side])));
      const ids = new Set(document.nodes.map((node) => node.id));
      assert.equal(ids.size, document.nodes.length);
      const ports = document.edges.map((wire) => `${wire.from} ${wire.port}`);
      assert.equal(new Set(ports).size, ports.length);
      for (const wire of document.edges) assert.ok(ids.has(wire.from) && ids.has(wire.to), `seed ${seed}`);
      for (const { id, kind, what, ...sides } of asked) {
        if (kind !== "step" || what[0] === "wire") continue;
        assert.equal(ids.has(id), sides[side] !== null, `seed ${seed}: ${id} by ${side}`);
      }
    }
  }
});

test("the same step set by both is asked about, with both versions", () => {
  const base = made(dice(1));
  const [mine, theirs] = [copy(base), copy(base)];
  mine.nodes[2].settings = { n: "mine" };
  theirs.nodes[2].settings = { n: "theirs" };
  theirs.nodes[3].name = "Theirs";
  const { conflicts, document } = merge(base, mine, theirs);
  assert.deepEqual(conflicts.map(({ key, what }) => [key, what]), [["step s2", ["settings"]]]);
  assert.equal(conflicts[0].theirs.settings.n, "theirs");
  assert.equal(document.nodes.find((node) => node.id === "s3").name, "Theirs");
  const chosen = merge(base, mine, theirs, new Map([["step s2", "theirs"]]));
  assert.equal(chosen.document.nodes.find((node) => node.id === "s2").settings.n, "theirs");
});

test("a step that one deleted while the other worked on it is asked about; kept, it is wired as before", () => {
  const base = made(dice(1), 4);
  const mine = copy(base);
  mine.nodes = mine.nodes.filter((node) => node.id !== "s1");
  mine.edges = [{ from: "s0", port: "next", to: "s2" }, { from: "s2", port: "next", to: "s3" }];
  const theirs = copy(base);
  theirs.nodes[1].name = "Important";
  const { conflicts } = merge(base, mine, theirs);
  assert.deepEqual(conflicts.map(({ key, mine: own }) => [key, own]), [["step s1", null]]);
  const kept = merge(base, mine, theirs, new Map([["step s1", "theirs"]])).document;
  assert.deepEqual(kept.edges.map(({ from, to }) => `${from}→${to}`).sort(), ["s0→s1", "s1→s2", "s2→s3"]);
  const gone = merge(base, mine, theirs, new Map([["step s1", "mine"]])).document;
  assert.deepEqual(gone.edges.map(({ from, to }) => `${from}→${to}`).sort(), ["s0→s2", "s2→s3"]);
});

test("moving a card is no quarrel, and settings of the journey merge field by field", () => {
  const base = made(dice(1));
  const [mine, theirs] = [copy(base), copy(base)];
  mine.nodes[0].x = 7;
  theirs.nodes[0].x = 9;
  theirs.nodes[0].name = "New";
  mine.settings.priority = 10;
  theirs.settings.timezone = "Asia/Shanghai";
  const { document, conflicts } = merge(base, mine, theirs);
  assert.deepEqual(conflicts, []);
  assert.deepEqual(document.settings, { priority: 10, timezone: "Asia/Shanghai" });
  const first = document.nodes.find((node) => node.id === "s0");
  assert.deepEqual([first.x, first.name], [7, "New"]);
});

test("the ops of a difference make the one document into the other", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const roll = dice(seed);
    const base = made(roll);
    const target = meddle(base, roll);
    const flow = Flow.fromDocument(copy(base));
    applyAll(flow, difference(base, target));
    alike(flow.toDocument(), target, `seed ${seed}`);
  }
});
