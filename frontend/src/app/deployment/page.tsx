import { useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useMay } from '../../data/hooks'
import { models } from '../../data/models'
import { environments, releases } from '../../data/releases'
import type { Environment } from '../../data/schema'
import { paths } from '../../lib/paths'
import { Async, Button, Empty, Link, Page, Select, Stack } from '../../ui'
import { HoldList } from './HoldList'
import { Lane } from './Lane'
import { ReleaseTable } from './ReleaseTable'
import { RollbackTable } from './RollbackTable'

const RequestRelease = lazy(() => import('./RequestRelease'))
const RollbackDrawer = lazy(() => import('./RollbackDrawer'))

export default function DeploymentPage() {
  const search = useSearch({ strict: false }) as { model?: string; rollback?: string }
  const all = useQuery(models.list())
  const [asking, setAsking] = useState(false)
  const may = useMay('deployments:write')
  const model = search.model ?? all.data?.items[0]?.id
  const ask = <Button variant="primary" disabled={!may.ok || !model} disabledReason={may.why ?? 'There is no model yet'} onClick={() => setAsking(true)}>Request release</Button>
  return (
    <Page title="Deployment" description="The same digest moves from development over staging to production. Going back is one click." actions={<Stack direction="horizontal" size="xs"><ModelSelect model={model} />{ask}</Stack>}>
      <Async query={all} label="Reading models">
        {() => (model ? <Lanes model={model} rollback={search.rollback} /> : <Empty title="No models yet" action={<Link href={paths.models()}>Add a model</Link>}>Environments belong to a model.</Empty>)}
      </Async>
      <Suspense>{asking && model && <RequestRelease model={model} onClose={() => setAsking(false)} />}</Suspense>
    </Page>
  )
}

function ModelSelect({ model }: { model: string | undefined }) {
  const router = useRouter()
  const all = useQuery(models.list())
  const options = (all.data?.items ?? []).map((m) => ({ value: m.id, label: m.name }))
  if (options.length < 2) return null
  return <Select ariaLabel="Model" options={options} selectedOption={options.find((o) => o.value === model) ?? null} onChange={(e) => router.history.push(paths.deployment(e.detail.selectedOption.value))} />
}

function Lanes({ model, rollback }: { model: string; rollback: string | undefined }) {
  const router = useRouter()
  const places = useQuery(environments.list(model))
  const list = useQuery(releases.list(model))
  const open = (name: string) => router.history.push(paths.deployment(model, { rollback: name }))
  const close = () => router.history.push(paths.deployment(model))
  return (
    <Async query={places} label="Reading environments">
      {({ items }) => (
        <Stack size="l">
          <div className="lanes">{items.map((e) => <Lane key={e.name} environment={e} onRollback={() => open(e.name)} />)}</div>
          {items.length === 0 && <Empty title="No environment yet">The first release makes them.</Empty>}
          <Async query={list}>{(r) => <ReleaseTable list={r} />}</Async>
          <HoldList model={model} environments={items} />
          <RollbackTable model={model} environments={items} />
          <Opened environments={items} name={rollback} onClose={close} />
        </Stack>
      )}
    </Async>
  )
}

function Opened({ environments: all, name, onClose }: { environments: Environment[]; name: string | undefined; onClose: () => void }) {
  const environment = all.find((e) => e.name === name)
  return <Suspense>{environment && <RollbackDrawer key={name} environment={environment} onClose={onClose} />}</Suspense>
}
