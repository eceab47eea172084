// Keeps every edit: saves after a moment of rest, one request at a time, keeps it here while nobody answers, and joins
// it with what others saved. Never overwrites anything unsaid; knows no page: what asks and tells is handed in.

/** Joining comes when there is something to join. */
const merging = () => import("./merge.js");

/**
 * @typedef {import("./editor.js").Editor} Editor
 * @typedef {"saved" | "unsaved" | "saving" | "offline" | "conflict" | "ended" | "refused"} State
 * @typedef {{status: number, revision?: number, by?: string, reason?: string}} Answer
 * @typedef {{put: (document: any, revision: number) => Promise<Answer>,
 *   get: () => Promise<{status: number, revision: number, document: any}>}} Transport both throw while nobody answers
 * @typedef {{revision: number, base: any, document: any}} Kept
 * @typedef {{read: () => Kept | null, write: (kept: Kept) => boolean, clear: () => void}} Store
 * @typedef {(conflicts: import("./merge.js").Conflict[], by: string) => Promise<Map<string, "mine" | "theirs"> | null>} Ask
 */

export const REST_MS = 600;
const KEEP_MS = 150;
const RETRY_MS = [2000, 5000, 10000, 20000, 30000];

export class Autosave {
  /**
   * @param {{editor: Editor, revision: number, transport: Transport, store: Store, ask: Ask,
   *   tell: (state: State, detail?: any) => void, joined?: (what: {by: string, ids: string[]}) => void, rest?: number}} parts
   */
  constructor({ editor, revision, transport, store, ask, tell, joined = () => {}, rest = REST_MS }) {
    this.editor = editor;
    this.revision = revision;
    this.transport = transport;
    this.store = store;
    this.ask = ask;
    this.tell = tell;
    this.joined = joined;
    this.rest = rest;
    /** What the server has, as far as this page knows. */
    this.base = editor.flow.toDocument();
    /** Counts edits; what has been saved is the edit of this number. */
    this.edits = 0;
    this.saved = 0;
    /** @type {Promise<boolean> | null} */
    this.running = null;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.keeper = undefined;
    /** @type {State} */
    this.state = "saved";
    editor.on("change", ({ cause }) => { if (cause !== "merge") this.edited(); });
  }

  get dirty() {
    return this.edits !== this.saved;
  }

  /** @param {State} state @param {any} [detail] */
  become(state, detail) {
    this.state = state;
    this.tell(state, detail);
  }

  edited() {
    this.edits += 1;
    if (["saved", "saving"].includes(this.state)) this.become("unsaved");
    clearTimeout(this.keeper);
    this.keeper = setTimeout(() => this.keep(), KEEP_MS);
    if (this.state !== "conflict" && this.state !== "ended") this.plan(this.failures ? this.pause() : this.rest);
  }

  /** @param {number} delay */
  plan(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
  }

  pause() {
    return RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1];
  }

  /** Writes what is not saved where it outlives the page. @returns {boolean} whether that worked */
  keep() {
    clearTimeout(this.keeper);
    if (!this.dirty) return true;
    return this.store.write({ revision: this.revision, base: this.base, document: this.editor.flow.toDocument() });
  }

  /** Saves now; true when nothing is left to save. One request runs at a time. @returns {Promise<boolean>} */
  flush() {
    clearTimeout(this.timer);
    this.running ??= this.run().finally(() => { this.running = null; });
    return this.running;
  }

  async run() {
    while (this.dirty) {
      const [edits, document] = [this.edits, this.editor.flow.toDocument()];
      this.become("saving");
      let answer;
      try {
        answer = await this.transport.put(document, this.revision);
      } catch {
        return this.away();
      }
      this.failures = 0;
      if (answer.status === 200) {
        this.revision = /** @type {number} */ (answer.revision);
        this.base = document;
        this.saved = edits;
      } else if (answer.status === 412) {
        if (!(await this.meet(answer.by ?? ""))) return false;
      } else return this.turnedAway(answer);
    }
    clearTimeout(this.keeper);
    this.store.clear();
    this.become("saved");
    return true;
  }

  away() {
    this.failures += 1;
    this.keep();
    this.become("offline");
    this.plan(this.pause());
    return false;
  }

  /** @param {Answer} answer */
  turnedAway(answer) {
    this.keep();
    if (answer.status >= 500 || answer.status === 429) return this.away();
    this.become(answer.status === 401 ? "ended" : "refused", answer);
    return false;
  }

  /**
   * Joins what others saved with what stands here. Asks where only a person can decide.
   * @param {string} by @returns {Promise<boolean>} whether it is joined
   */
  async meet(by) {
    let other;
    try {
      other = await this.transport.get();
    } catch {
      return this.away();
    }
    if (other.status !== 200) return this.turnedAway(other);
    const { difference, merge, same } = await merging();
    const choices = await this.decide(other.document, by);
    if (!choices) return false;
    const mine = this.editor.flow.toDocument();
    const merged = merge(this.base, mine, other.document, choices);
    this.editor.absorb(difference(mine, merged.document));
    this.base = other.document;
    this.revision = other.revision;
    if (same(ordered(this.editor.flow.toDocument()), ordered(other.document))) this.saved = this.edits;
    else if (!this.dirty) this.edits += 1;
    if (merged.theirs.length || merged.conflicts.length) this.joined({ by, ids: merged.theirs });
    return true;
  }

  /** @param {any} theirs @param {string} by @returns {Promise<Map<string, "mine" | "theirs"> | null>} null: not yet */
  async decide(theirs, by) {
    const { merge } = await merging();
    const { conflicts } = merge(this.base, this.editor.flow.toDocument(), theirs);
    if (!conflicts.length) return new Map();
    this.keep();
    this.become("conflict", { by, conflicts });
    return this.ask(conflicts, by);
  }

  /** Somebody else saved: take it in. @param {{revision: number, by: string}} news */
  async heard({ revision, by }) {
    if (revision <= this.revision || this.running || ["conflict", "ended"].includes(this.state)) return;
    if (this.dirty) {
      await this.flush();
      return;
    }
    if (await this.meet(by)) this.become(this.dirty ? "unsaved" : "saved");
    if (this.dirty) this.plan(this.rest);
  }

  /**
   * Takes up what an earlier page could not save, and sends it on top of what that page knew: whatever others did
   * meanwhile is then met like any other news.
   * @returns {Promise<boolean>} whether there was anything
   */
  async restore() {
    const kept = this.store.read();
    if (!kept) return false;
    const { difference } = await merging();
    const now = this.editor.flow.toDocument();
    const ops = kept.revision <= this.revision ? difference(now, kept.document) : [];
    if (!ops.length) {
      this.store.clear();
      return false;
    }
    this.editor.absorb(ops);
    this.base = kept.base;
    this.revision = kept.revision;
    this.edits += 1;
    this.become("unsaved");
    this.plan(0);
    return true;
  }
}

/** The same whatever the order of its parts. @param {any} document */
function ordered(document) {
  /** @param {any[]} items */
  const sorted = (items) => {
    const name = (/** @type {any} */ item) => JSON.stringify([item.id, item.from, item.port]);
    return [...(items ?? [])].sort((one, other) => (name(one) < name(other) ? -1 : 1));
  };
  const { notes, groups, ...rest } = document;
  return {
    ...rest, settings: document.settings ?? {}, nodes: sorted(document.nodes), edges: sorted(document.edges),
    notes: sorted(notes), groups: sorted(groups),
  };
}
