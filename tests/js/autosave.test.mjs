// Nothing an operator did is lost: slow servers, no servers, other people, a page that is loaded again.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Autosave } from "../../static/js/canvas/autosave.js";
import { Editor } from "../../static/js/canvas/editor.js";
import { edit } from "../../static/js/canvas/ops.js";

const START = () => ({
  schema: 1, settings: {},
  nodes: [{ id: "a", type: "entry.event", version: 1, settings: { event: "x" }, x: 0, y: 0 }, { id: "b", type: "exit", version: 1, settings: {}, x: 300, y: 0 }],
  edges: [{ from: "a", port: "next", to: "b" }],
});

/** A server with one draft, which can be away or slow. */
class Desk {
  constructor() {
    Object.assign(this, { revision: 1, document: START(), away: false, puts: [], atOnce: 0, most: 0, delay: 0 });
  }

  async put(document, revision) {
    if (this.away) throw new TypeError("away");
    this.atOnce += 1;
    this.most = Math.max(this.most, this.atOnce);
    await (this.delay ? new Promise((resolve) => { setTimeout(resolve, this.delay); }) : null);
    this.atOnce -= 1;
    if (revision !== this.revision) return { status: 412, by: "Bo" };
    this.puts.push(structuredClone(document));
    Object.assign(this, { document: structuredClone(document), revision: revision + 1 });
    return { status: 200, revision: this.revision };
  }

  async get() {
    if (this.away) throw new TypeError("away");
    return { status: 200, revision: this.revision, document: structuredClone(this.document) };
  }

  other(change) {
    change(this.document);
    this.revision += 1;
  }
}

function opened(desk, { store = shelf(), ask = async () => null } = {}) {
  const editor = new Editor({ document: structuredClone(desk.document) });
  const states = [];
  const joined = [];
  const saver = new Autosave({ editor, revision: desk.revision, transport: desk, store, ask, tell: (state) => states.push(state), joined: (what) => joined.push(what), rest: 5 });
  return { editor, saver, states, joined, store };
}
function shelf() {
  let kept = null;
  return { read: () => kept, write: (one) => { kept = structuredClone(one); return true; }, clear: () => { kept = null; } };
}
const name = (editor, id, text) => editor.commit("Rename", [edit("node", editor.flow.steps.get(id), { name: text })]);
/** Time goes by as told, whatever else the machine does; after each millisecond everything that was awaited goes on. */
mock.timers.enable({ apis: ["setTimeout"] });
const soon = async (ms = 70) => {
  for (let at = 0; at < ms; at += 1) {
    mock.timers.tick(1);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
};
const named = (document, id) => document.nodes.find((node) => node.id === id)?.name;

test("edits are saved after a rest, one request at a time, the last state last", async () => {
  const desk = new Desk();
  desk.delay = 15;
  const { editor, saver, states } = opened(desk);
  for (let turn = 0; turn < 6; turn += 1) {
    name(editor, "a", `name ${turn}`);
    await soon(8);
  }
  await soon(80);
  assert.equal(named(desk.document, "a"), "name 5");
  assert.equal(desk.most, 1);
  assert.equal(saver.dirty, false);
  assert.equal(states.at(-1), "saved");
});

test("while nobody answers the work is kept here, and sent when somebody does", async () => {
  const desk = new Desk();
  const { editor, saver, states, store } = opened(desk);
  desk.away = true;
  name(editor, "a", "kept");
  await soon();
  assert.equal(states.at(-1), "offline");
  assert.equal(named(store.read().document, "a"), "kept");
  desk.away = false;
  assert.ok(await saver.flush());
  assert.equal(named(desk.document, "a"), "kept");
  assert.equal(store.read(), null);
});

test("a page that was closed in between goes on where it was, also when somebody else saved meanwhile", async () => {
  const desk = new Desk();
  const store = shelf();
  const first = opened(desk, { store });
  desk.away = true;
  name(first.editor, "a", "mine");
  await soon();
  clearTimeout(first.saver.timer);
  desk.away = false;
  desk.other((document) => { document.nodes[1].name = "theirs"; });
  const second = opened(desk, { store });
  assert.equal(await second.saver.restore(), true);
  await soon();
  assert.deepEqual([named(desk.document, "a"), named(desk.document, "b")], ["mine", "theirs"]);
  assert.equal(store.read(), null);
  assert.equal(await opened(desk, { store }).saver.restore(), false);
});

test("a page that was closed in between asks when somebody else changed the same step meanwhile", async () => {
  const desk = new Desk();
  const store = shelf();
  const first = opened(desk, { store });
  desk.away = true;
  name(first.editor, "a", "mine");
  await soon();
  clearTimeout(first.saver.timer);
  desk.away = false;
  desk.other((document) => { document.nodes[0].name = "theirs"; });
  const asked = [];
  const second = opened(desk, { store, ask: async (conflicts) => { asked.push(...conflicts); return new Map([["step a", "theirs"]]); } });
  await second.saver.restore();
  assert.equal(second.editor.flow.steps.get("a").name, "mine");
  await soon();
  assert.equal(asked.length, 1);
  assert.equal(named(desk.document, "a"), "theirs");
  assert.equal(second.editor.flow.steps.get("a").name, "theirs");
});

test("two people at different steps: both are kept, and the page says whose came in", async () => {
  const desk = new Desk();
  const { editor, saver, joined } = opened(desk);
  desk.other((document) => { document.nodes[1].name = "theirs"; });
  name(editor, "a", "mine");
  await soon();
  assert.deepEqual([named(desk.document, "a"), named(desk.document, "b")], ["mine", "theirs"]);
  assert.equal(editor.flow.steps.get("b").name, "theirs");
  assert.deepEqual(joined, [{ by: "Bo", ids: ["b"] }]);
  assert.equal(saver.dirty, false);
  editor.undo();
  await soon();
  assert.deepEqual([named(desk.document, "a"), named(desk.document, "b")], [undefined, "theirs"]);
});

test("two people at one step: nothing is saved before a choice, and the choice is what is saved", async () => {
  for (const side of ["mine", "theirs"]) {
    const desk = new Desk();
    let decide;
    const asked = [];
    const ask = (conflicts, by) => new Promise((resolve) => { asked.push([by, conflicts.map(({ key }) => key)]); decide = resolve; });
    const { editor, saver, states } = opened(desk, { ask });
    desk.other((document) => { document.nodes[0].name = "theirs"; });
    name(editor, "a", "mine");
    await soon();
    assert.deepEqual(asked, [["Bo", ["step a"]]]);
    assert.equal(states.at(-1), "conflict");
    assert.equal(named(desk.document, "a"), "theirs");
    decide(new Map([["step a", side]]));
    await soon();
    assert.equal(named(desk.document, "a"), side);
    assert.equal(editor.flow.steps.get("a").name, side);
    assert.equal(saver.dirty, false);
  }
});

test("news of others is taken in at once when nothing is open here", async () => {
  const desk = new Desk();
  const { editor, saver, joined } = opened(desk);
  desk.other((document) => { document.nodes.push({ id: "c", type: "exit", version: 1, settings: {}, x: 0, y: 300 }); });
  await saver.heard({ revision: desk.revision, by: "Bo" });
  assert.ok(editor.flow.steps.has("c"));
  assert.equal(joined.length, 1);
  assert.equal(desk.puts.length, 0);
  await saver.heard({ revision: desk.revision, by: "Bo" });
  assert.equal(joined.length, 1);
});

test("an undo of what somebody else has taken away does nothing, and says so", async () => {
  const desk = new Desk();
  const { editor, saver } = opened(desk);
  const stale = [];
  editor.on("stale", (what) => stale.push(what.label));
  name(editor, "b", "x");
  await soon();
  desk.other((document) => { document.nodes = document.nodes.slice(0, 1); document.edges = []; });
  await saver.heard({ revision: desk.revision, by: "Bo" });
  assert.equal(editor.flow.steps.has("b"), false);
  assert.equal(editor.undo(), null);
  assert.deepEqual(stale, ["Rename"]);
});
