import { useQueries, useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useNameOf } from '../../data/hooks'
import { datasets } from '../../data/datasets'
import { models } from '../../data/models'
import type { Lineage, LineageNode } from '../../data/schema'
import type { GraphNode } from '../../lib/graph'
import { openSubject, paths } from '../../lib/paths'
import { kindOf } from '../../lib/subjects'
import { Alert, Async, Button, Card, FormField, Header, Input, Link, Listing, Page, Segmented, Spinner, Stack, type Column } from '../../ui'

const Graph = lazy(() => import('../../ui/Graph'))
const key = (n: LineageNode) => `${n.type}:${n.id}`

export default function LineagePage() {
  const { node, direction = 'backward' } = useSearch({ strict: false }) as { node?: string; direction?: 'forward' }
  const router = useRouter()
  const turn = (
    <Segmented label="Direction" selectedId={direction} onChange={(e) => router.history.push(paths.lineage(node, e.detail.selectedId))}
      options={[{ id: 'backward', text: 'Where it comes from' }, { id: 'forward', text: 'What came of it' }]} />
  )
  return (
    <Page title="Lineage" trail={[['Models', paths.models()]]} description="From a line of data to live traffic, and back." actions={node && turn}>
      <Ask key={node} node={node} direction={direction} />
      {node ? <Found node={node} direction={direction} /> : <Suggestions />}
    </Page>
  )
}

function Ask({ node, direction }: { node: string | undefined; direction: string }) {
  const router = useRouter()
  const [text, setText] = useState(node ?? '')
  const valid = /^[A-Za-z]+:.+$/.test(text.trim())
  return (
    <form onSubmit={(e) => (e.preventDefault(), valid && router.history.push(paths.lineage(text.trim(), direction)))}>
      <FormField label="Of what" description="A kind, a colon and an id: modelVersion:assistant@3, datasetVersion:support@2, run:run_…" secondaryControl={<Button formAction="submit" disabled={!valid}>Show</Button>}>
        <Input value={text} type="search" onChange={(e) => setText(e.detail.value)} ariaLabel="Of what" />
      </FormField>
    </form>
  )
}

interface Start { node: string; name: string; what: string; direction: 'backward' | 'forward' }

/** Where people most often start: the newest version of each model and of each dataset. */
function Suggestions() {
  const call = useNameOf()
  const allModels = useQuery(models.list())
  const allData = useQuery(datasets.list())
  const versions = useQueries({ queries: (allModels.data?.items ?? []).map((m) => models.versions(m.id)) })
  const rows: Start[] = [
    ...versions.flatMap((q) => q.data?.items.slice(0, 3) ?? []).map((v): Start => ({ node: `modelVersion:${v.model}@${v.number}`, name: call({ type: 'modelVersion', id: `${v.model}@${v.number}` }), what: 'Model version', direction: 'backward' })),
    ...(allData.data?.items ?? []).filter((d) => d.latest > 0).map((d): Start => ({ node: `datasetVersion:${d.id}@${d.latest}`, name: call({ type: 'datasetVersion', id: `${d.id}@${d.latest}` }), what: 'Dataset version', direction: 'forward' })),
  ]
  return <Async query={allModels}>{() => <Listing title="Start from" items={rows} columns={starts} trackBy={(r) => r.node} empty={{ title: 'Nothing to follow yet', text: 'Upload data or add a model first.', action: <Link href={paths.data()}>Open Data</Link> }} />}</Async>
}

const starts: Column<Start>[] = [
  { id: 'what', header: 'Kind', cell: (r) => r.what },
  { id: 'name', header: 'What', cell: (r) => <Link href={paths.lineage(r.node, r.direction)}>{r.name}</Link> },
  { id: 'shows', header: 'Shows', cell: (r) => (r.direction === 'backward' ? 'where it comes from' : 'what learned from it, and where it is live') },
]

function Found({ node, direction }: { node: string; direction: 'forward' | 'backward' }) {
  const lineage = useQuery(models.lineage(node, direction))
  const call = useNameOf()
  return (
    <Async query={lineage} label="Following the edges">
      {(l) => (
        <Stack size="l">
          {l.truncated && <Alert type="info">There is more than fits here; start from a node at the edge.</Alert>}
          <Card header={<Header variant="h2">Graph</Header>}>
            <Suspense fallback={<Spinner />}><Graph nodes={l.nodes.map((n) => drawn(n, node, call(n)))} edges={l.edges} label="Lineage; the table says the same" /></Suspense>
          </Card>
          <Table l={l} />
        </Stack>
      )}
    </Async>
  )
}

const parse = (node: string) => ({ type: node.slice(0, node.indexOf(':')), id: node.slice(node.indexOf(':') + 1) })

const drawn = (n: LineageNode, start: string, title: string): GraphNode => ({
  id: key(n), title, kind: kindOf(n.type), href: openSubject(n), main: key(n) === start,
  note: n.share === undefined ? undefined : `${n.share}% of live traffic`,
})

function Table({ l }: { l: Lineage }) {
  const from = (n: LineageNode) => l.edges.filter((e) => e.to === key(n)).map((e) => e.from)
  const call = useNameOf()
  const byKey = new Map(l.nodes.map((n) => [key(n), n]))
  const columns: Column<LineageNode>[] = [
    { id: 'type', header: 'Kind', cell: (n) => kindOf(n.type), sort: (n) => n.type },
    { id: 'id', header: 'What', cell: (n) => { const href = openSubject(n); return href ? <Link href={href}>{call(n)}</Link> : <span title={n.id}>{call(n)}</span> }, sort: (n) => n.id },
    { id: 'from', header: 'Made from', cell: (n) => (from(n).length ? from(n).map((f) => <div className="line" key={f}><Link href={paths.lineage(f)}>{call(byKey.get(f) ?? parse(f))}</Link></div>) : '—') },
    { id: 'share', header: 'Live traffic', cell: (n) => (n.share === undefined ? '—' : `${n.share}%`) },
  ]
  return <Listing title="Nodes" items={l.nodes} columns={columns} trackBy={key} search={key} empty={{ title: 'Nothing is known of it', text: 'Check the type and the id.' }} />
}
