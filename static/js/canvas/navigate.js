// Pan and zoom by wheel, trackpad, Space, middle and right button, one finger and two; never changes the journey.

/** @typedef {import("./viewport.js").Viewport} Viewport */

const WHEEL_LINE = 16;
const WHEEL_LIMIT = 24;
const STILL = 4;

/**
 * @param {HTMLElement} root @param {Viewport} viewport
 * @param {{onMenu?: (event: PointerEvent) => void, mayPan?: (event: PointerEvent) => boolean}} [hooks]
 *   `onMenu` hears a right click that did not pan; `mayPan` says whether a finger put down here pans
 */
export function attachNavigation(root, viewport, { onMenu = () => {}, mayPan = () => true } = {}) {
  const state = { space: false, /** @type {Set<number>} */ panning: new Set() };
  attachWheel(root, viewport);
  attachSpace(root, state);
  attachDragging(root, viewport, state, onMenu);
  attachFingers(root, viewport, mayPan);
  return { isPanning: () => state.space || state.panning.size > 0 };
}

/** @param {HTMLElement} root @param {Viewport} viewport */
function attachWheel(root, viewport) {
  root.addEventListener("wheel", (event) => {
    if (scrollsItself(/** @type {Element} */ (event.target), root)) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? WHEEL_LINE : event.deltaMode === 2 ? viewport.height : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey) {
      const push = Math.min(WHEEL_LIMIT, Math.max(-WHEEL_LIMIT, dy));
      viewport.zoomBy(Math.exp(-push / 100), { x: event.clientX - viewport.left, y: event.clientY - viewport.top });
    } else if (event.shiftKey && !dx) viewport.panBy(-dy, 0);
    else viewport.panBy(-dx, -dy);
  }, { passive: false });
}

/** A note being written keeps the wheel while its text scrolls. @param {Element} target @param {HTMLElement} root */
function scrollsItself(target, root) {
  const area = target.closest("textarea, [data-scrolls]");
  return Boolean(area && root.contains(area) && area.scrollHeight > area.clientHeight);
}

/** @param {HTMLElement} root @param {{space: boolean}} state */
function attachSpace(root, state) {
  const isTyping = (/** @type {EventTarget | null} */ target) => (
    target instanceof Element && target.closest("input, textarea, select, button, [contenteditable]")
  );
  root.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || isTyping(event.target)) return;
    event.preventDefault();
    state.space = true;
    root.classList.add("grab");
  });
  const release = () => {
    state.space = false;
    root.classList.remove("grab");
  };
  root.addEventListener("keyup", (event) => { if (event.code === "Space") release(); });
  root.addEventListener("focusout", release);
}

/**
 * @param {HTMLElement} root @param {Viewport} viewport @param {{space: boolean, panning: Set<number>}} state
 * @param {(event: PointerEvent) => void} onMenu
 */
function attachDragging(root, viewport, state, onMenu) {
  /** @type {{x: number, y: number, far: number} | null} */
  let last = null;
  root.addEventListener("pointerdown", (event) => {
    const pans = event.button === 1 || event.button === 2 || (event.button === 0 && state.space);
    if (event.pointerType === "touch" || !pans) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    root.focus({ preventScroll: true, focusVisible: false });
    root.setPointerCapture(event.pointerId);
    state.panning.add(event.pointerId);
    last = { x: event.clientX, y: event.clientY, far: 0 };
  }, { capture: true });
  root.addEventListener("pointermove", (event) => {
    if (!last || !state.panning.has(event.pointerId)) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!last.far) root.classList.add("grabbing"); // once: each time would restyle all there is
    last = { x: event.clientX, y: event.clientY, far: last.far + Math.abs(dx) + Math.abs(dy) };
    viewport.panBy(dx, dy);
  });
  const end = (/** @type {PointerEvent} */ event) => {
    if (!state.panning.delete(event.pointerId)) return;
    root.classList.remove("grabbing");
    if (event.type === "pointerup" && event.button === 2 && last && last.far < STILL) onMenu(event);
    last = null;
  };
  root.addEventListener("pointerup", end);
  root.addEventListener("pointercancel", end);
  // The browser's own menu would end a pan by the right button; a menu of ours opens on release instead.
  root.addEventListener("contextmenu", (event) => {
    if (!(event.target instanceof Element && event.target.closest("input, textarea"))) event.preventDefault();
  });
}

/**
 * One finger on the open ground pans, two pinch, wherever they are put down.
 * @param {HTMLElement} root @param {Viewport} viewport @param {(event: PointerEvent) => boolean} mayPan
 */
function attachFingers(root, viewport, mayPan) {
  /** @type {Map<number, {x: number, y: number, pans: boolean}>} */
  const fingers = new Map();
  root.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, pans: mayPan(event) });
    if (fingers.size === 2) root.dispatchEvent(new CustomEvent("canvas-pinch"));
  }, { capture: true });
  root.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    if (fingers.size === 2) pinch(event, dx, dy);
    else if (finger.pans) viewport.panBy(dx, dy);
    Object.assign(finger, { x: event.clientX, y: event.clientY });
  });
  const lift = (/** @type {PointerEvent} */ event) => fingers.delete(event.pointerId);
  addEventListener("pointerup", lift);
  addEventListener("pointercancel", lift);

  /** @param {PointerEvent} event @param {number} dx @param {number} dy */
  function pinch(event, dx, dy) {
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const finger = fingers.get(event.pointerId);
    if (!other || !finger) return;
    const before = Math.hypot(finger.x - other.x, finger.y - other.y);
    const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
    viewport.panBy(dx / 2, dy / 2);
    const middle = { x: (event.clientX + other.x) / 2 - viewport.left, y: (event.clientY + other.y) / 2 - viewport.top };
    if (before > STILL) viewport.zoomBy(after / before, middle);
  }
}
