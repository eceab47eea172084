// The same journey in React Flow, with the same cards: what the canvas is compared with. Bundled when the bench runs.
import { Handle, Position, ReactFlow, ReactFlowProvider, useNodesInitialized, useReactFlow } from "@xyflow/react";
import { memo, useEffect } from "react";
import { createRoot } from "react-dom/client";

const { document: journey, ports, fitted } = JSON.parse(document.getElementById("journey").textContent);

const Icon = () => (
  <svg className="ico" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12h10M10 6l6 6-6 6" /></svg>
);

const Card = memo(({ data }) => (
  <div className="card">
    <Handle type="target" position={Position.Left} style={{ top: 28 }} />
    <header>
      <span className="tile"><Icon /></span>
      <div><b>{data.title}</b><small>{data.summary}</small></div>
      <span className="pill">{data.waiting}</span>
    </header>
    {data.ports.map((port, place) => (
      <div className="port" key={port}>
        <span>{port}</span><output>{data.counts[place] ?? 0}</output>
        <Handle id={port} type="source" position={Position.Right} style={{ top: 56 + 13 + 26 * place }} />
      </div>
    ))}
    {data.ports.length === 0 && <div className="port"><span>ends here</span></div>}
  </div>
));

const nodeTypes = { card: Card };
const nodesAtFirst = journey.nodes.map((node) => ({
  id: node.id,
  type: "card",
  position: { x: node.x, y: node.y },
  data: { title: node.name, summary: node.type, ports: ports[node.id], waiting: 0, counts: [] },
}));
const edges = journey.edges.map((edge) => ({
  id: `${edge.from} ${edge.port}`, source: edge.from, sourceHandle: edge.port, target: edge.to, type: "smoothstep",
}));

function Bench() {
  const flow = useReactFlow();
  const measured = useNodesInitialized();
  useEffect(() => {
    if (!measured) return undefined;
    let frame = 0;
    // Mounted is when all edges are there too, and two frames have passed.
    const look = () => {
      const drawn = document.querySelectorAll(".react-flow__edge").length;
      frame = requestAnimationFrame(drawn < edges.length ? look : () => performance.mark("canvas:mounted"));
    };
    frame = requestAnimationFrame(look);
    return () => cancelAnimationFrame(frame);
  }, [measured]);
  useEffect(() => {
    globalThis.__bench = {
      fit: () => flow.fitView({ duration: 0 }),
      actual: () => flow.setViewport({ x: 40, y: 40, zoom: 1 }),
      card: (id) => document.querySelector(`[data-id="${id}"] header`).getBoundingClientRect().toJSON(),
      counters(numbers) {
        flow.setNodes((nodes) => nodes.map((node) => {
          const seen = numbers.nodes[node.id];
          if (!seen) return node;
          const counts = node.data.ports.map((port) => numbers.ports[`${node.id} ${port}`]);
          return { ...node, data: { ...node.data, waiting: seen.waiting, counts } };
        }));
      },
    };
  }, [flow]);
  return null;
}

function Canvas() {
  return (
    <ReactFlowProvider>
      <ReactFlow
        defaultNodes={nodesAtFirst} defaultEdges={edges} nodeTypes={nodeTypes} minZoom={0.02} maxZoom={2.5}
        fitView={fitted} defaultViewport={{ x: 40, y: 40, zoom: 0.72 }} panOnDrag={[1]}
      >
        <Bench />
      </ReactFlow>
    </ReactFlowProvider>
  );
}

performance.mark("canvas:start");
createRoot(document.getElementById("root")).render(<Canvas />);
