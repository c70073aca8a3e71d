import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '../../data/hooks'
import { models } from '../../data/models'
import { observe } from '../../data/observe'
import type { Model } from '../../data/schema'
import { paths } from '../../lib/paths'
import { Async, Button, Link, Listing, Page, Stack, Time, type Column } from '../../ui'
import { BenchmarkLink, DatasetLink } from '../names'
import { NewModel } from './NewModel'

export default function ModelsPage() {
  const all = useQuery(models.list())
  const overview = useQuery(observe.overview())
  const may = useMay('models:write')
  const [adding, setAdding] = useState(false)
  const add = <Button variant="primary" disabled={!may.ok} disabledReason={may.why} onClick={() => setAdding(true)}>Add model</Button>
  const champion = (m: Model) => overview.data?.models.find((s) => s.model === m.id)?.champion
  const columns: Column<Model>[] = [
    { id: 'name', header: 'Model', cell: (m) => <Link href={paths.model(m.id)}>{m.name}</Link>, sort: (m) => m.name },
    { id: 'champion', header: 'Champion', cell: (m) => { const n = champion(m); return n ? <Link href={paths.modelVersion(m.id, n)}>version {n}</Link> : 'none yet' } },
    { id: 'dataset', header: 'Learns from', cell: (m) => <DatasetLink id={m.dataset} />, sort: (m) => m.dataset },
    { id: 'guards', header: 'Guarded by', minWidth: 220, cell: (m) => (m.benchmarks.length ? m.benchmarks.map((b) => <div className="line" key={b}><BenchmarkLink id={b} /></div>) : 'nothing: the gate cannot pass') },
    { id: 'preset', header: 'Preset', cell: (m) => m.preset },
    { id: 'go', header: 'Go to', cell: (m) => <Stack direction="horizontal" size="xs"><Link href={paths.runs({ model: m.id })} ariaLabel={`Runs of ${m.name}`}>runs</Link><Link href={paths.deployment(m.id)} ariaLabel={`Deployment of ${m.name}`}>deployment</Link></Stack> },
    { id: 'created', header: 'Added', cell: (m) => <Time at={m.created} />, sort: (m) => m.created },
  ]
  return (
    <Page title="Models" description="What is kept current, and what each version was made of." actions={add}>
      <Async query={all} label="Reading models">
        {({ items }) => <Listing title="Models" items={items} columns={columns} trackBy={(m) => m.id} empty={{ title: 'No models yet', text: 'A model names the dataset it learns from and the benchmarks that guard it.', action: add }} />}
      </Async>
      {adding && <NewModel onClose={() => setAdding(false)} />}
    </Page>
  )
}
