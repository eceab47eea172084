// A layer of elements of which only those near the view are in the page; detached ones are kept and used again.

/** @typedef {{key: string, element: HTMLElement | SVGElement, sync: () => void}} Item */

/** Detached elements kept; beyond it they are made anew when needed. */
const KEPT = 600;
/** Elements made with one frame for the ground around the view, so that no frame of a pan is long. */
const AHEAD = 4;
/** So many are made with each frame, however busy the machine is, unless fewer are asked for. */
const LEAST = 8;
/** Elements no longer near the view that may stay in the page until it rests: a zoom in and out takes none away. */
const SPARE = 240;

/**
 * @typedef {{inView?: (key: string) => boolean, most?: number, until?: number, ahead?: boolean}} Showing
 *   what is in view comes before the rest; after so many, or after `until` (of performance.now()), the rest waits for the
 *   next frame; without `ahead` nothing is made for the ground around the view
 */

/** @template {Item} T */
export class Layer {
  /** @param {Element} host @param {(key: string) => T} make */
  constructor(host, make) {
    this.host = host;
    this.make = make;
    /** What stands in the page. @type {Map<string, T>} */
    this.mounted = new Map();
    /** What stood there, oldest first. @type {Map<string, T>} */
    this.detached = new Map();
    /** Items whose look must be read again when they come into the page. @type {Set<string>} */
    this.stale = new Set();
    /** What is to be there, and may be alone when the view rests. @type {Set<string>} */
    this.wanted = new Set();
  }

  /**
   * Brings the page to show these, those in view first, as far as the time goes; a few of those around it with each frame.
   * @param {Set<string>} wanted @param {Showing} [how]
   * @returns {{bare: boolean, left: boolean}} whether some in view, or some at all, are left for the next frame
   */
  show(wanted, { inView = () => true, most = Infinity, until = Infinity, ahead = true } = {}) {
    this.wanted = wanted;
    this.rest(this.mounted.size - wanted.size - SPARE);
    const fresh = document.createDocumentFragment();
    const later = [];
    let [bare, late] = [false, most === 0];
    for (const key of wanted) {
      if (this.mounted.has(key)) continue;
      if (!inView(key)) later.push(key);
      else if (late) bare = true;
      else {
        fresh.append(this.take(key).element);
        const made = fresh.childElementCount;
        late = made >= most || (made >= LEAST && performance.now() > until);
      }
    }
    if (ahead && !late) for (const key of later.splice(0, AHEAD)) fresh.append(this.take(key).element);
    if (fresh.childNodes.length) this.host.append(fresh);
    return { bare, left: bare || later.length > 0 };
  }

  /** Takes away what is no longer near the view, but never what has the focus. @param {number} [most] */
  rest(most = Infinity) {
    let count = 0;
    for (const [key, item] of this.mounted) {
      if (count >= most) return;
      if (this.wanted.has(key) || item.element.contains(document.activeElement)) continue;
      this.detach(key, item);
      count += 1;
    }
  }

  /** @param {string} key @returns {T} */
  take(key) {
    const known = this.detached.get(key);
    const item = known ?? this.make(key);
    this.detached.delete(key);
    this.mounted.set(key, item);
    if (!known || this.stale.delete(key)) item.sync();
    return item;
  }

  /** The item in the page now, put there if need be. @param {string} key */
  ensure(key) {
    const item = this.mounted.get(key) ?? this.take(key);
    if (!item.element.isConnected) this.host.append(item.element);
    return item;
  }

  /** @param {string} key @param {T} item */
  detach(key, item) {
    item.element.remove();
    this.mounted.delete(key);
    this.detached.set(key, item);
    if (this.detached.size > KEPT) this.forget(/** @type {string} */ (this.detached.keys().next().value));
  }

  /** Reads the data of some items again: at once in the page, later elsewhere. @param {Iterable<string>} keys */
  refresh(keys) {
    for (const key of keys) {
      const item = this.mounted.get(key);
      if (item) item.sync();
      else if (this.detached.has(key)) this.stale.add(key);
    }
  }

  refreshAll() {
    for (const item of this.mounted.values()) item.sync();
    for (const key of this.detached.keys()) this.stale.add(key);
  }

  /** What is no more in the journey. @param {string} key */
  forget(key) {
    this.mounted.get(key)?.element.remove();
    this.mounted.delete(key);
    this.detached.delete(key);
    this.stale.delete(key);
  }

  clear() {
    for (const key of [...this.mounted.keys(), ...this.detached.keys()]) this.forget(key);
  }
}
