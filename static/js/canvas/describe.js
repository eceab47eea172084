// Says what is wrong while one draws: the shape at once, all the rest as the server sees it a moment later.

import { _ } from "../i18n.js";
import { SHAPE, findings } from "./checks.js";

/** @typedef {import("./main.js").Canvas} Canvas */

const REST_MS = 70;
/** While somebody holds a key down the server is not asked more often than this. */
const LONGEST_MS = 400;

/** @param {Canvas} canvas */
export function attachDescribe({ editor, data }) {
  let timer = 0;
  let waiting = 0;
  /** @type {AbortController | null} */
  let asking = null;

  const ask = async () => {
    waiting = 0;
    asking?.abort();
    const turn = (asking = new AbortController());
    try {
      const answer = await fetch(data.urls.describe, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(editor.flow.toDocument()), signal: turn.signal,
      });
      if (!answer.ok || turn !== asking) return;
      const { nodes, problems } = await answer.json();
      if (turn !== asking) return;
      editor.setFacets(changedOf(editor, nodes));
      editor.setProblems(problems);
    } catch {
      // Away or overtaken: what the shape says stands until the next answer.
    }
  };

  const soon = () => {
    const now = performance.now();
    waiting ||= now;
    clearTimeout(timer);
    timer = setTimeout(ask, Math.max(0, Math.min(REST_MS, waiting + LONGEST_MS - now)));
  };

  const shape = () => {
    const there = (/** @type {string | null} */ id) => !id || editor.flow.steps.has(id);
    const others = editor.problems.filter((problem) => !SHAPE.has(problem.code ?? "") && there(problem.node));
    const known = new Map(editor.problems.map((problem) => [`${problem.code} ${problem.node} ${problem.field}`, problem]));
    const found = findings(editor).map((one) => known.get(`${one.code} ${one.node} ${one.field}`) ?? { ...one, text: textOf(one) });
    editor.setProblems([...others, ...found]);
  };

  editor.on("change", ({ ops }) => {
    // A card that only moved changes nothing that is checked.
    if (ops.every(isLayout)) return;
    shape();
    soon();
  });
  editor.on("load", soon);
  return { now: ask };
}

/** @param {any} op */
export function isLayout(op) {
  if (/^(note|group)/.test(op.op)) return true;
  return op.op === "node=" && Object.keys(op.after).every((name) => name === "x" || name === "y");
}

/**
 * Only faces that differ, so that only their cards are drawn anew. @param {import("./editor.js").Editor} editor
 * @param {Record<string, any>} nodes
 */
function changedOf(editor, nodes) {
  return Object.fromEntries(Object.entries(nodes).filter(([id, facet]) => JSON.stringify(editor.facets.get(id)) !== JSON.stringify(facet)));
}

/** @param {import("./checks.js").Finding} one */
function textOf({ code, port }) {
  if (code === "entry.missing") return _("Nobody can enter: the journey has no entry");
  if (code === "node.unreachable") return _("This step cannot be reached from an entry");
  if (code === "cycle.no_wait") return _("These steps go round without ever waiting");
  return _("“%(port)s” leads nowhere; who goes there ends there", { port: port ?? "" });
}
