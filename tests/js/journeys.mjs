// Journeys for the tests and the stand-alone page: made up from a seed, never random.

/** A small generator, so that a failing case can be run again. @param {number} seed */
export function dice(seed) {
  let state = seed * 2654435761 + 1;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

const KINDS = [
  ["condition", "decide", "Opened the app?", "event app_open · last 2 days", [["yes", "Yes"], ["no", "No"]]],
  ["wait.duration", "flow", "Wait 2 days", "until 09:00 in local time", [["next", "Next"]]],
  ["send.email", "send", "Welcome email", "Template · Welcome to the house", [["delivered", "Delivered"], ["failed", "Failed"]]],
  ["split", "decide", "Nudge test", "A 50 % · B 30 % · C 20 %", [["a", "A"], ["b", "B"], ["c", "C"]]],
  ["send.inapp", "send", "Pop-up: come back", "“Your workspace is waiting”", [["next", "Sent"]]],
  ["action.tag", "action", "Tag as active", "adds “active”", [["next", "Next"]]],
  ["wait.event", "flow", "Wait for order", "order_paid · at most 3 days", [["order_paid", "Happened"], ["timeout", "Timed out"]]],
  ["send.webhook", "send", "Tell the CRM", "POST crm.example.com", [["next", "OK"], ["failed", "Failed"]]],
];
const ENTRY = ["entry.event", "entry", "Signed up", "event user_signed_up", [["next", "Next"]]];
const EXIT = ["exit", "flow", "Done", "ends the journey", []];

const asPorts = (/** @type {any} */ kind) => kind[4].map(([name, label]) => ({ name, label }));

/** The types the page data would carry. */
export const TYPES = Object.fromEntries([ENTRY, ...KINDS, EXIT].map((kind) => [kind[0], {
  title: kind[2], help: kind[3], group: kind[1], group_title: kind[1], hue: kind[1], ports: asPorts(kind), settings: {},
  is_entry: kind === ENTRY, is_exit: kind === EXIT, searchable: kind[2],
}]));

/**
 * A journey in columns with about 1.45 wires a step, some over several columns, a few leading back.
 * @param {number} size how many steps @param {{seed?: number, placed?: boolean}} [options]
 */
export function journey(size, { seed = 7, placed = true } = {}) {
  const roll = dice(seed);
  const rows = Math.max(3, Math.round(Math.sqrt(size / 1.6)));
  const nodes = [];
  const edges = [];
  const facets = {};
  for (let place = 0; place < size; place += 1) {
    const kind = place === 0 ? ENTRY : place > size - rows ? EXIT : KINDS[roll(KINDS.length)];
    const id = `s${place}`;
    const [column, row] = place === 0 ? [0, 0] : [1 + Math.floor((place - 1) / rows), (place - 1) % rows];
    const at = placed ? { x: column * 312, y: row * 176 + (column % 2) * 24 } : {};
    nodes.push({ id, type: kind[0], version: 1, settings: {}, ...at });
    facets[id] = { title: kind[2], summary: kind[3], ports: asPorts(kind) };
  }
  for (let place = 0; place < size; place += 1) {
    for (const { name } of facets[`s${place}`].ports) {
      const nextColumn = place === 0 ? 1 : 1 + (Math.floor((place - 1) / rows) + 1) * rows;
      const jump = roll(12) === 0 ? rows * (1 + roll(3)) : 0;
      const back = place > rows * 2 && roll(60) === 0;
      const to = back ? place - rows - roll(rows) : nextColumn + jump + roll(rows);
      if (to < size && to > 0 && roll(10) > 0) edges.push({ from: `s${place}`, port: name, to: `s${to}` });
    }
  }
  const notes = [{ id: "n1", text: "Owner: lifecycle team. Keep the first nudge within 48 hours of sign-up.", node: "s1" }];
  const groups = size > 12 ? [{ id: "g1", title: "First week", nodes: ["s2", "s3"] }] : [];
  const problems = nodes.filter((_, place) => place % 23 === 5).map((node, place) => ({
    node: node.id, field: null, code: "open", severity: place % 2 ? "error" : "warning", text: "No template chosen",
  }));
  return { document: { schema: 1, settings: {}, nodes, edges, notes, groups }, facets, types: TYPES, problems };
}
