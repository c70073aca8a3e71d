import dagre from '@dagrejs/dagre'
import { Background, Controls, Handle, Position, ReactFlow, useReactFlow, useStore, type Edge, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useEffect, useMemo } from 'react'
import { known, type GraphEdge, type GraphNode } from '../lib/graph'
import { StepState } from './marks'
import { useDark } from './theme'
import { Took } from './Time'

const heightOf = (n: GraphNode) => (n.status ? 74 : 62)

type FlowNode = Node<{ node: GraphNode }, 'ours'>

/** Places nodes from left to right (Sugiyama's method, as dagre does it). */
function layout(nodes: GraphNode[], edges: GraphEdge[], short: boolean): FlowNode[] {
  const width = short ? 162 : 196
  const g = new dagre.graphlib.Graph().setGraph({ rankdir: 'LR', nodesep: 18, ranksep: short ? 24 : 44 }).setDefaultEdgeLabel(() => ({}))
  nodes.forEach((n) => g.setNode(n.id, { width, height: heightOf(n) }))
  edges.forEach((e) => g.setEdge(e.from, e.to))
  dagre.layout(g)
  return nodes.map((node) => {
    const at = g.node(node.id)
    return { id: node.id, type: 'ours', position: { x: at.x - width / 2, y: at.y - heightOf(node) / 2 }, data: { node }, width, height: heightOf(node) }
  })
}

function OurNode({ data: { node: n } }: NodeProps<FlowNode>) {
  return (
    <div className={`node node-${(n.status ?? n.kind ?? 'plain').toLowerCase()}${n.main ? ' node-main' : ''}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {n.kind && <span className="node-kind">{n.kind}</span>}
      {n.href ? <a className="node-title nodrag" href={n.href} title={n.title}>{n.title}</a> : <span className="node-title" title={n.title}>{n.title}</span>}
      {n.status && <span className="node-note"><StepState status={n.status} />{n.from && <Took from={n.from} to={n.to} />}</span>}
      {n.note && <span className="node-note">{n.note}</span>}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}

/** Shows all of it again when the room for it changes. */
function FitOnResize() {
  const { fitView } = useReactFlow()
  const { width, height } = useStore((s) => ({ width: s.width, height: s.height }), (a, b) => a.width === b.width && a.height === b.height)
  useEffect(() => void fitView(fit), [fitView, width, height])
  return null
}

const fit = { padding: 0.08, maxZoom: 1 }
const nodeTypes = { ours: OurNode }

interface Props {
  nodes: GraphNode[]
  edges: GraphEdge[]
  label: string
  height?: 'short' | 'tall'
}

/** A picture of what follows what. It is shown beside a table that says the same. */
export default function Graph({ nodes, edges, label, height = 'tall' }: Props) {
  const dark = useDark()
  const shape = JSON.stringify([nodes.map((n) => n.id), edges])
  // eslint-disable-next-line react-hooks/exhaustive-deps -- positions depend on the shape only
  const places = useMemo(() => layout(nodes, known(nodes, edges), height === 'short'), [shape])
  const flow = places.map((p, i) => ({ ...p, data: { node: nodes[i]! } }))
  const lines: Edge[] = known(nodes, edges).map((e) => ({ id: `${e.from}→${e.to}`, source: e.from, target: e.to, animated: false }))
  return (
    <div className={`graph graph-${height}`} role="group" aria-label={label}>
      <ReactFlow
        key={shape} nodes={flow} edges={lines} nodeTypes={nodeTypes} colorMode={dark ? 'dark' : 'light'}
        fitView fitViewOptions={fit} minZoom={0.2} nodesDraggable={false} nodesConnectable={false}
        nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} preventScrolling={false} zoomOnScroll={false}
      >
        <Background gap={20} />
        <FitOnResize />
        {height === 'tall' && <Controls showInteractive={false} />}
      </ReactFlow>
    </div>
  )
}
