import { useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { models } from '../../data/models'
import type { Lineage, LineageNode } from '../../data/schema'
import type { GraphNode } from '../../lib/graph'
import { words } from '../../lib/format'
import { openSubject, paths } from '../../lib/paths'
import { Alert, Async, Button, Card, Empty, FormField, Header, Input, Link, Listing, Page, Segmented, Spinner, Stack, type Column } from '../../ui'

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
      <FormField label="Of what" description="type:id, such as modelVersion:assistant@3, datasetVersion:support@2 or run:run_…" secondaryControl={<Button formAction="submit" disabled={!valid}>Show</Button>}>
        <Input value={text} type="search" onChange={(e) => setText(e.detail.value)} ariaLabel="Of what" />
      </FormField>
    </form>
  )
}

function Suggestions() {
  const all = useQuery(models.list())
  return (
    <Async query={all}>
      {({ items }) => (
        <Empty title="Start from a thing">
          Open the lineage from a dataset version, a run or a model version{items.length > 0 && <>, or from a model: {items.map((m) => <Newest key={m.id} model={m.id} />)}</>}
        </Empty>
      )}
    </Async>
  )
}

function Newest({ model }: { model: string }) {
  const all = useQuery(models.versions(model))
  const v = all.data?.items[0]
  return v ? <Link href={paths.lineage(`modelVersion:${model}@${v.number}`)}>{model} version {v.number}</Link> : <>{model}</>
}

function Found({ node, direction }: { node: string; direction: 'forward' | 'backward' }) {
  const lineage = useQuery(models.lineage(node, direction))
  return (
    <Async query={lineage} label="Following the edges">
      {(l) => (
        <Stack size="l">
          {l.truncated && <Alert type="info">There is more than fits here; start from a node at the edge.</Alert>}
          <Card header={<Header variant="h2">Graph</Header>}>
            <Suspense fallback={<Spinner />}><Graph nodes={l.nodes.map((n) => drawn(n, node))} edges={l.edges} label="Lineage; the table says the same" /></Suspense>
          </Card>
          <Table l={l} />
        </Stack>
      )}
    </Async>
  )
}

const drawn = (n: LineageNode, start: string): GraphNode => ({
  id: key(n), title: n.label ?? n.id, kind: words(n.type), href: openSubject(n), main: key(n) === start,
  note: n.share === undefined ? undefined : `${n.share} % of live traffic`,
})

function Table({ l }: { l: Lineage }) {
  const from = (n: LineageNode) => l.edges.filter((e) => e.to === key(n)).map((e) => e.from)
  const columns: Column<LineageNode>[] = [
    { id: 'type', header: 'Kind', cell: (n) => words(n.type), sort: (n) => n.type },
    { id: 'id', header: 'What', cell: (n) => { const href = openSubject(n); return href ? <Link href={href}>{n.label ?? n.id}</Link> : <code>{n.label ?? n.id}</code> }, sort: (n) => n.id },
    { id: 'from', header: 'Made from', cell: (n) => (from(n).length ? from(n).map((f) => <div className="line" key={f}><Link href={paths.lineage(f)}>{f}</Link></div>) : '—') },
    { id: 'share', header: 'Live traffic', cell: (n) => (n.share === undefined ? '—' : `${n.share} %`) },
  ]
  return <Listing title="Nodes" items={l.nodes} columns={columns} trackBy={key} search={key} empty={{ title: 'Nothing is known of it', text: 'Check the type and the id.' }} />
}
