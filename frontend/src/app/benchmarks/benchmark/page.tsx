import { useInfiniteQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { benchmarkItems } from '../../../data/benchmarks'
import type { Benchmark, BenchmarkItem } from '../../../data/schema'
import { count } from '../../../lib/format'
import { question } from '../../../lib/items'
import { paths } from '../../../lib/paths'
import { Async, Badge, Button, Card, Digest, Facts, Listing, Page, Stack, Time, type Column } from '../../../ui'

const columns: Column<BenchmarkItem>[] = [
  { id: 'id', header: 'Item', cell: (i) => <><code>{i.id}</code> {i.mustPass && <Badge color="red">must pass</Badge>}</>, sort: (i) => i.id },
  { id: 'capability', header: 'Capability', cell: (i) => i.capability, sort: (i) => i.capability },
  { id: 'question', header: 'Question', cell: (i) => <span className="pre">{question(i)}</span> },
  { id: 'target', header: 'Wanted', cell: (i) => (i.targets?.length ? i.targets.join(' or ') : (i.target ?? '—')) },
]

export default function BenchmarkPage() {
  const { benchmark: name } = useParams({ strict: false }) as { benchmark: string }
  const pages = useInfiniteQuery(benchmarkItems(name))
  const first = pages.data?.pages[0]?.benchmark
  return (
    <Page title={first?.title || name} trail={[['Benchmarks', paths.benchmarks()]]} description={first?.title ? <code>{name}</code> : undefined}>
      <Async query={pages} label="Reading the benchmark">
        {(data) => (
          <Stack size="l">
            {first && <About b={first} />}
            <Listing title="Items" items={data.pages.flatMap((p) => p.items)} columns={columns} trackBy={(i) => i.id} search={(i) => `${i.id} ${i.capability} ${question(i)}`} empty={{ title: 'No items', text: 'A benchmark without items guards nothing.' }} />
            {pages.hasNextPage && <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>Show more</Button>}
          </Stack>
        )}
      </Async>
    </Page>
  )
}

const items = (b: Benchmark) => {
  const parts = Object.entries(b.capabilities ?? {})
  return parts.length > 1 ? `${count(b.itemCount)}: ${parts.map(([name, n]) => `${name} ${count(n)}`).join(', ')}` : count(b.itemCount)
}

function About({ b }: { b: Benchmark }) {
  return (
    <Card><Facts columns={4} items={[
      { label: 'Lock', value: <Digest value={b.lock} copy /> },
      { label: 'Items', value: items(b) },
      { label: 'Scored by', value: b.scorer.kind + (b.judge ? `, judge ${b.judge.model}` : '') },
      { label: 'Asked', value: `${b.prompt.chat ? 'as a chat' : 'as plain text'}, at most ${b.decoding.maxTokens} tokens, temperature ${b.decoding.temperature}` },
      { label: 'Licence, source', value: [b.licence, b.source].filter(Boolean).join(', ') || 'not stated' },
      ...(b.harness ? [{ label: 'Run by', value: b.harness }] : []),
      ...(b.created ? [{ label: 'Added', value: <Time at={b.created} /> }] : []),
      { label: 'Parts of the lock', value: Object.entries(b.parts).sort().map(([part, d]) => <div className="line" key={part}>{part} <Digest value={d} /></div>) },
    ]} /></Card>
  )
}
