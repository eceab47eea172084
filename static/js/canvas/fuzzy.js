// Finds what somebody means by a few letters: all of them in order, best where words begin; never touches the page.

const WORD_START = /[\s._\-/(:：，、]/;

/**
 * How well a text fits: 0 for not at all. Letters in a row and letters that begin words count more.
 * @param {string} query @param {string} text
 */
export function score(query, text) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return 1;
  const inside = text.toLowerCase();
  const whole = inside.indexOf(wanted);
  if (whole >= 0) {
    const begins = whole === 0 || WORD_START.test(inside[whole - 1]);
    return 1000 + (begins ? 500 : 0) + (whole === 0 ? 200 : 0) - Math.min(whole, 100);
  }
  return scattered(wanted.replace(/\s+/g, ""), inside);
}

/** @param {string} wanted @param {string} inside */
function scattered(wanted, inside) {
  let [total, at, last] = [0, 0, -2];
  for (const letter of wanted) {
    const found = nextPlace(inside, letter, at);
    if (found < 0) return 0;
    total += found === last + 1 ? 8 : found === 0 || WORD_START.test(inside[found - 1]) ? 6 : 1;
    last = found;
    at = found + letter.length;
  }
  // One stray letter per word is luck, not a find.
  return total >= wanted.length * 3 ? total : 0;
}

/**
 * The beginning of a word is meant rather than the middle of one. @param {string} inside @param {string} letter
 * @param {number} from
 */
function nextPlace(inside, letter, from) {
  const next = inside.indexOf(letter, from);
  if (next === from) return next;
  for (let place = next; place >= 0; place = inside.indexOf(letter, place + 1)) {
    if (place === 0 || WORD_START.test(inside[place - 1])) return place;
  }
  return next;
}

/**
 * What fits, the best first; equals stay in their order.
 * @template T
 * @param {string} query @param {T[]} items @param {(item: T) => string[]} texts the important one first
 * @returns {T[]}
 */
export function rank(query, items, texts) {
  const found = items.map((item, place) => {
    const scores = texts(item).map((text, importance) => score(query, text ?? "") / (1 + importance * 0.5));
    return { item, place, score: Math.max(0, ...scores) };
  });
  const fitting = found.filter((one) => one.score > 0);
  fitting.sort((one, other) => other.score - one.score || one.place - other.place);
  return fitting.map((one) => one.item);
}
