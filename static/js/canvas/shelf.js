// Pieces that somebody keeps under a name to use again, in any journey: text in this browser, read as strictly as a paste.

import { unpack } from "./clipboard.js";

/** @typedef {[name: string, text: string]} Piece */

/** What this person keeps. @param {string | number} user @param {Pick<Storage, "getItem" | "setItem">} storage */
export function shelf(user, storage = localStorage) {
  const place = `canvas pieces ${user}`;
  /** @returns {Piece[]} */
  const list = () => {
    try {
      const kept = JSON.parse(storage.getItem(place) ?? "[]");
      return kept.filter((/** @type {any} */ one) => typeof one?.[0] === "string" && unpack(String(one[1])));
    } catch {
      return [];
    }
  };
  const others = (/** @type {string} */ name) => list().filter(([other]) => other !== name);
  const write = (/** @type {Piece[]} */ pieces) => {
    try {
      storage.setItem(place, JSON.stringify(pieces));
    } catch {
      return false;  // no room, or no storage at all
    }
    return true;
  };
  return {
    list: () => list().sort(([one], [other]) => one.localeCompare(other)),
    keep: (/** @type {string} */ name, /** @type {string} */ text) => write([...others(name), [name, text]]),
    forget: (/** @type {string} */ name) => write(others(name)),
  };
}
