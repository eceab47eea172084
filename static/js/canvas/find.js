// Ctrl F: finds steps by title, type, text or id, shows each as one goes through the list, and leads there.

import { _ } from "../i18n.js";
import { stepItem } from "./deeds.js";

/** @param {import("./main.js").Canvas} canvas @param {import("./popup.js").Picker} picker */
export function finder(canvas, picker) {
  const { editor, view, viewport } = canvas;
  return () => {
    let lit = "";
    const light = (/** @type {string} */ id) => {
      if (lit) view.mark(lit, "found", false);
      lit = id;
      if (!id) return;
      view.mark(id, "found");
      view.viewport.reveal(editor.rectOf(id), { glide: false });
    };
    picker.open({
      at: { x: viewport.left + viewport.width / 2 - 180, y: viewport.top + 12 },
      label: _("Find a step"),
      placeholder: _("Title, text or id of a step"),
      items: [...editor.flow.steps.keys()].map((id) => stepItem(canvas, id)),
      onActive: (item) => light(item?.key ?? ""),
      onPick: ({ key }) => {
        editor.select([key]);
        editor.reveal(key);
      },
    });
  };
}
