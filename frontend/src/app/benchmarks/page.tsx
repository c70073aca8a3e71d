import { useQuery } from '@tanstack/react-query'
import { benchmarks } from '../../data/benchmarks'
import type { Benchmark } from '../../data/schema'
import { count } from '../../lib/format'
import { paths } from '../../lib/paths'
import { Async, Digest, Link, Listing, Page, Time, type Column } from '../../ui'

const columns: Column<Benchmark>[] = [
  { id: 'name', header: 'Benchmark', cell: (b) => <Link href={paths.benchmark(b.benchmark)}>{b.title || b.benchmark}</Link>, sort: (b) => b.title || b.benchmark },
  { id: 'id', header: 'Id', cell: (b) => <code>{b.benchmark}</code>, sort: (b) => b.benchmark },
  { id: 'items', header: 'Items', cell: (b) => count(b.itemCount), sort: (b) => b.itemCount },
  { id: 'capabilities', header: 'Capabilities', cell: (b) => Object.entries(b.capabilities ?? {}).map(([name, n]) => `${name} ${n}`).join(', ') },
  { id: 'scorer', header: 'Scored by', cell: (b) => b.scorer.kind, sort: (b) => b.scorer.kind },
  { id: 'lock', header: 'Lock', cell: (b) => <Digest value={b.lock} /> },
  { id: 'created', header: 'Added', cell: (b) => <Time at={b.created} />, sort: (b) => b.created ?? '' },
]

const optional = new Set(['capabilities', 'created']) // a list need not tell them

export default function BenchmarksPage() {
  const all = useQuery(benchmarks.list())
  return (
    <Page title="Benchmarks" description="The suites that guard the models. Results under different locks are never compared.">
      <Async query={all} label="Reading benchmarks">
        {({ items }) => <Listing title="Benchmarks" items={items} columns={columns.filter((c) => !optional.has(c.id) || items.some((b) => b[c.id as 'created']))} trackBy={(b) => b.benchmark} search={(b) => `${b.benchmark} ${b.title ?? ''}`} empty={{ title: 'No benchmarks yet', text: 'Add one by the API (POST /v1/benchmarks) with its items; without a benchmark the gate never passes.' }} />}
      </Async>
    </Page>
  )
}
