// Where drafts go: the server's door for drafts, and this browser's storage while that is closed.

/** @param {string} url @returns {import("./autosave.js").Transport} */
export const draftTransport = (url) => ({
  put: async (document, revision) => {
    const body = JSON.stringify({ document });
    const answer = await fetch(
      url, { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": `"${revision}"` }, body },
    );
    const said = await answer.json().catch(() => ({}));
    return {
      status: answer.status, revision: said.revision, by: said.changed_by?.name,
      reason: said.errors?.[0]?.message ?? said.detail,
    };
  },
  get: async () => {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    const said = await answer.json().catch(() => ({}));
    return { status: answer.status, revision: said.revision, document: said.document };
  },
});

/**
 * Each tab has a place of its own; what a closed tab left is taken up by the next one.
 * @param {number} journey @returns {import("./autosave.js").Store}
 */
export function draftStore(journey) {
  const prefix = `canvas draft ${journey} `;
  const own = prefix + tabName();
  let taken = own;
  const kept = (/** @type {string} */ name) => {
    try {
      const value = JSON.parse(localStorage.getItem(name) ?? "null");
      return value?.document?.nodes && value.base ? value : null;
    } catch {
      return null;
    }
  };
  return {
    read: () => {
      try {
        const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix) && kept(name));
        names.sort((one, other) => Number(other === own) - Number(one === own) || kept(other).at - kept(one).at);
        taken = names[0] ?? own;
        return names.length ? kept(taken) : null;
      } catch {
        return null;
      }
    },
    write: (value) => {
      try {
        localStorage.setItem(own, JSON.stringify({ ...value, at: Date.now() }));
        return true;
      } catch {
        return false;
      }
    },
    clear: () => {
      try { for (const name of [own, taken]) localStorage.removeItem(name); } catch { /* Without storage there is nothing to clear. */ }
    },
  };
}

function tabName() {
  try {
    const name = sessionStorage.getItem("tab") ?? Math.random().toString(36).slice(2);
    sessionStorage.setItem("tab", name);
    return name;
  } catch {
    return "one";
  }
}
