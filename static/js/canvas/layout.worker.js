// Lays a graph out beside the page, so that the page stays responsive; knows nothing of journeys.

const LIBRARY = "../../vendor/dagre.esm.js";
/** Named by a variable, so that the types of a library made small are not checked. @type {Promise<any>} */
const library = import(LIBRARY);

/** Null when the library cannot be had or fails: the page then lays out more plainly. */
addEventListener("message", async ({ data }) => {
  try {
    postMessage(layOut(await library, data));
  } catch {
    postMessage(null);
  }
});

/**
 * The default ranker takes half a minute at a thousand steps, and its ordering makes the picture jump when one step is
 * added: so tight trees, in the order in which the steps were given.
 * @param {any} dagre @param {import("./tree.js").Graph} input
 * @returns {[string, number, number][]} top left corners
 */
function layOut(dagre, { nodes, edges, gapX, gapY }) {
  const graph = new dagre.Graph();
  graph.setGraph({ rankdir: "LR", ranker: "tight-tree", ranksep: gapX, nodesep: gapY, edgesep: 18 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  for (const [from, to] of edges) graph.setEdge(from, to);
  dagre.layout(graph, { disableOptimalOrderHeuristic: true });
  return nodes.map(({ id, width, height }) => {
    const { x, y } = graph.node(id);
    return [id, x - width / 2, y - height / 2];
  });
}
