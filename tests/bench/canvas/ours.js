// The deeds of the bench on our own canvas, through what its page offers: `#canvas`.editor and .view.
globalThis.__bench = (() => {
  const root = document.querySelector("#canvas");
  const { editor, view } = root;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const places = () => [...editor.flow.steps.values()].map((one) => `${one.x} ${one.y}`).join();
  const module = performance.getEntriesByType("resource").find((one) => one.name.endsWith("/js/canvas/view.js"));

  return {
    fit: () => view.viewport.fit(editor.bounds(), { glide: false, max: 1 }),
    actual: () => view.viewport.set({ x: 40, y: 40, zoom: 1 }),
    // Every card in the page, whatever the zoom: never what a person gets, but the like-for-like of other libraries.
    async mountAll() {
      (await import(module.name)).OVERVIEW.above = Infinity;
      view.reload();
      view.flush();
    },
    card(id) {
      const [rect, at] = [editor.rectOf(id), view.viewport];
      const corner = at.toScreen(rect);
      return { x: corner.x + at.left, y: corner.y + at.top, width: rect.width * at.zoom, height: 56 * at.zoom };
    },
    counters: (numbers) => view.setCounters(numbers),
    async tidy() {
      const before = places();
      document.querySelector("[data-deed=tidy]").click();
      while (places() === before) await frame();
    },
    // A step is given a setting it cannot have, or a good one again; done when the server's word is there.
    async spoil(id) {
      const step = editor.flow.steps.get(id);
      const good = step.settings;
      const broken = !editor.problems.some((one) => one.node === id);
      const settings = broken ? { nonsense: 1 } : JSON.parse(step.name);
      const name = broken ? JSON.stringify(good) : id;
      const said = new Promise((done) => {
        const stop = editor.on("problems", () => {
          if (editor.problems.some((one) => one.node === id) !== broken) return;
          stop();
          done(undefined);
        });
      });
      const before = { settings: good, name: step.name ?? null };
      editor.commit("bench", [{ op: "node=", id, before, after: { settings, name } }]);
      await said;
    },
  };
})();
