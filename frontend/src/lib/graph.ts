export interface GraphNode {
  id: string
  title: string
  status?: string
  kind?: string
  href?: string
  note?: string
  from?: string
  to?: string
  main?: boolean
}

export interface GraphEdge {
  from: string
  to: string
}

/** Steps that follow one another as a graph; a name that comes again makes another node. */
export function chain(steps: GraphNode[]): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes = steps.map((s, i) => ({ ...s, id: `${i}:${s.id}` }))
  return { nodes, edges: nodes.slice(1).map((n, i) => ({ from: nodes[i]!.id, to: n.id })) }
}

/** Steps with those inside another one right after it: "EvaluateModel/DecideGate" follows "EvaluateModel". */
export function nested<T extends { name: string }>(steps: T[]): T[] {
  const inner = steps.filter((s) => s.name.includes('/'))
  const outer = steps.filter((s) => !s.name.includes('/'))
  const last = new Map(outer.map((s) => [s.name, s]))
  const around = (s: T) => s.name.split('/')[0]!
  return [
    ...outer.flatMap((s) => (last.get(s.name) === s ? [s, ...inner.filter((i) => around(i) === s.name)] : [s])),
    ...inner.filter((i) => !last.has(around(i))),
  ]
}

/** Only edges between nodes that are there: a truncated graph may name others. */
export function known(nodes: GraphNode[], edges: GraphEdge[]): GraphEdge[] {
  const ids = new Set(nodes.map((n) => n.id))
  return edges.filter((e) => ids.has(e.from) && ids.has(e.to))
}
