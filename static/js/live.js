// Keeps the numbers of the first page fresh: asks for the fragment every three seconds, changes only what differs.
// Without it the page is the same, as of the moment it was loaded.
const EVERY_MS = 3000;
const live = document.getElementById("live");

const parts = (root) => new Map([...root.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));
const shape = (root) => [...root.querySelectorAll("[data-shape]")].map((one) => one.dataset.shape).join();

function take(fresh) {
  const [now, then] = [parts(fresh), parts(live)];
  const same = shape(fresh) === shape(live) && now.size === then.size && [...now.keys()].every((key) => then.has(key));
  if (!same) {
    const scrolled = [...live.querySelectorAll(".stage")].map((one) => one.scrollLeft);
    live.replaceChildren(...fresh.childNodes);
    live.querySelectorAll(".stage").forEach((one, place) => { one.scrollLeft = scrolled[place] ?? 0; });
    return;
  }
  for (const [key, was] of then) {
    const is = now.get(key);
    if (was.innerHTML === is.innerHTML) continue;
    const known = new Set([...was.children].map((row) => row.dataset.row));
    was.replaceChildren(...is.childNodes);
    const news = was.children.length ? [...was.children].filter((row) => !known.has(row.dataset.row)) : [was];
    for (const one of news) {
      one.classList.remove("news");
      requestAnimationFrame(() => requestAnimationFrame(() => one.classList.add("news")));
    }
  }
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(live.dataset.source, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html").body);
      else if (answer.type === "opaqueredirect" || answer.status === 401) return location.reload();
    } catch { /* the server is away for a moment; the numbers stay, the next look comes */ }
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
