import dagre from '@dagrejs/dagre'
import { Background, Controls, Handle, Position, ReactFlow, useReactFlow, useStore, type Edge, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useEffect, useMemo } from 'react'
import { known, type GraphEdge, type GraphNode } from '../lib/graph'
import { StepState } from './marks'
import { useDark } from './theme'
import { Took } from './Time'

const heightOf = (n: GraphNode) => (n.status ? 74 : n.note ? 78 : 62)
const room = { short: { width: 1000, height: 116 }, tall: { width: 1000, height: 560 } }

type FlowNode = Node<{ node: GraphNode; below: boolean }, 'ours'>

const graphOf = (nodes: GraphNode[], edges: GraphEdge[], width: number, rankdir: 'LR' | 'TB', ranksep: number) => {
  const g = new dagre.graphlib.Graph().setGraph({ rankdir, nodesep: 18, ranksep }).setDefaultEdgeLabel(() => ({}))
  nodes.forEach((n) => g.setNode(n.id, { width, height: heightOf(n) }))
  edges.forEach((e) => g.setEdge(e.from, e.to))
  dagre.layout(g)
  return g
}

/** Places nodes in layers (Sugiyama's method, as dagre does it): across or, where that lets one read it larger, down. */
function layout(nodes: GraphNode[], edges: GraphEdge[], height: 'short' | 'tall'): FlowNode[] {
  const width = height === 'short' ? 178 : 196
  const across = graphOf(nodes, edges, width, 'LR', height === 'short' ? 20 : 36)
  const size = (g: typeof across) => Math.min(1, room[height].width / (g.graph().width ?? 1), room[height].height / (g.graph().height ?? 1))
  const down = height === 'short' ? across : graphOf(nodes, edges, width, 'TB', 22)
  const below = size(down) > size(across)
  const g = below ? down : across
  return nodes.map((node) => {
    const at = g.node(node.id)
    return { id: node.id, type: 'ours', position: { x: at.x - width / 2, y: at.y - heightOf(node) / 2 }, data: { node, below }, width, height: heightOf(node) }
  })
}

function OurNode({ data: { node: n, below } }: NodeProps<FlowNode>) {
  return (
    <div className={`node node-${(n.status ?? n.kind ?? 'plain').toLowerCase()}${n.main ? ' node-main' : ''}`}>
      <Handle type="target" position={below ? Position.Top : Position.Left} isConnectable={false} />
      {n.kind && <span className="node-kind">{n.kind}</span>}
      {n.href ? <a className="node-title nodrag" href={n.href} title={n.title}><Title text={n.title} /></a> : <span className="node-title" title={n.title}><Title text={n.title} /></span>}
      {n.status && <span className="node-note"><StepState status={n.status} />{n.from && <Took from={n.from} to={n.to} />}</span>}
      {n.note && <span className="node-note">{n.note}</span>}
      <Handle type="source" position={below ? Position.Bottom : Position.Right} isConnectable={false} />
    </div>
  )
}

/** A long name is cut before its version, which tells it from the others. */
function Title({ text }: { text: string }) {
  const cut = text.search(/ version \d+$/)
  return cut < 0 ? text : <><span className="node-name">{text.slice(0, cut)}</span>{text.slice(cut).replaceAll(' ', '\u00a0')}</>
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
  const places = useMemo(() => layout(nodes, known(nodes, edges), height), [shape])
  const flow = places.map((p, i) => ({ ...p, data: { ...p.data, node: nodes[i]! } }))
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
