// Records frames and long tasks while something is done to a page; the bench puts it into every candidate's page.
globalThis.__recorder = (() => {
  let [frames, tasks, running, last] = [[], [], 0, 0];
  new PerformanceObserver((list) => { tasks.push(...list.getEntries().map((one) => [one.startTime, one.duration])); })
    .observe({ type: "longtask", buffered: false });

  function tick(now) {
    if (last) frames.push(now - last);
    last = now;
    running = requestAnimationFrame(tick);
  }

  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));

  return {
    start() {
      [frames, tasks, last] = [[], [], 0];
      running = requestAnimationFrame(tick);
    },
    async stop() {
      await painted();
      cancelAnimationFrame(running);
      await new Promise((done) => setTimeout(done, 60)); // long tasks are told a little later
      return { frames, long: tasks.map((one) => one[1]) };
    },
    painted,
    // How long a deed takes until its outcome is on the screen.
    async timed(deed) {
      await painted();
      const begun = performance.now();
      await deed();
      return (await painted()) - begun;
    },
  };
})();
