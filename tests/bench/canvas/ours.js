// The deeds of the bench on our own canvas, through what its page offers: `#canvas`.canvas.
globalThis.__bench = await (async () => {
  const { editor, view } = document.querySelector("#canvas").canvas;
  const places = () => [...editor.flow.steps.values()].map((one) => `${one.x} ${one.y}`).join();
  const base = performance.getEntriesByType("resource").find((one) => one.name.endsWith("/js/canvas/view.js")).name;
  const { tidy } = await import(new URL("layout.js", base).href);

  return {
    fit: () => view.viewport.fit(editor.bounds(), { glide: false, max: 1 }),
    // Every card in the page, whatever the zoom: never what a person gets, but the like-for-like of other libraries.
    async mountAll() {
      view.far.above = Infinity;
      view.reload();
      do await new Promise(requestAnimationFrame); while (view.culled === null);
      const cards = document.querySelectorAll("#canvas .card").length;
      if (cards < 0.9 * editor.flow.steps.size) throw new Error(`only ${cards} cards are mounted`);
    },
    card(id) {
      const [rect, at] = [editor.rectOf(id), view.viewport];
      const corner = at.toScreen(rect);
      return { x: corner.x + at.left, y: corner.y + at.top, width: rect.width * at.zoom, height: 56 * at.zoom };
    },
    counters: (numbers) => view.setCounters(numbers),
    async tidy() {
      const before = places();
      await tidy(view);
      if (places() === before) throw new Error("nothing was tidied up");
    },
    // A step is given a setting it cannot have, or a good one again; done when the server's word is there.
    async spoil(id) {
      const step = editor.flow.steps.get(id);
      const wrong = () => editor.problems.some((one) => one.node === id);
      const breaks = !wrong();
      const after = breaks
        ? { settings: { ...step.settings, nonsense: 1 }, name: JSON.stringify(step.settings) }
        : { settings: JSON.parse(step.name), name: id };
      const said = new Promise((done) => {
        const stop = editor.on("problems", () => {
          if (wrong() !== breaks) return;
          stop();
          done(undefined);
        });
      });
      editor.commit("bench", [{ op: "node=", id, before: { settings: step.settings, name: step.name ?? null }, after }]);
      await said;
    },
  };
})();
