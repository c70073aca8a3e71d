import { useQuery } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { models } from '../../data/models'
import { observe } from '../../data/observe'
import { environments } from '../../data/releases'
import { paths } from '../../lib/paths'
import { Async, Empty, Link, Page, Segmented, Select, Stack } from '../../ui'
import { Captures } from './Captures'
import { Charts } from './Charts'

interface Search { model?: string; env?: string; minutes?: number }
const spans = [{ id: '30', text: '30 min' }, { id: '60', text: '1 h' }, { id: '360', text: '6 h' }, { id: '1440', text: '24 h' }]

export default function MonitoringPage() {
  const search = useSearch({ strict: false }) as Search
  const all = useQuery(models.list())
  const model = search.model ?? all.data?.items[0]?.id
  return (
    <Page title="Monitoring" description="What live versions do, minute by minute, with the moments when something was released." actions={model && <Pick search={{ ...search, model }} />}>
      <Async query={all} label="Reading models">
        {() => (model ? <View model={model} env={search.env ?? 'production'} minutes={search.minutes ?? 60} /> : <Empty title="No models yet" action={<Link href={paths.models()}>Add a model</Link>} />)}
      </Async>
    </Page>
  )
}

function Pick({ search }: { search: Search & { model: string } }) {
  const router = useRouter()
  const all = useQuery(models.list())
  const places = useQuery(environments.list(search.model))
  const go = (next: Search) => router.history.push(paths.monitoring({ ...search, ...next }))
  const modelOptions = (all.data?.items ?? []).map((m) => ({ value: m.id, label: m.name }))
  const names = (places.data?.items ?? []).map((e) => ({ value: e.name, label: e.name }))
  const env = search.env ?? 'production'
  return (
    <Stack direction="horizontal" size="xs">
      {modelOptions.length > 1 && <Select ariaLabel="Model" options={modelOptions} selectedOption={modelOptions.find((o) => o.value === search.model) ?? null} onChange={(e) => go({ model: e.detail.selectedOption.value })} />}
      <Select ariaLabel="Environment" options={names} selectedOption={names.find((o) => o.value === env) ?? { value: env, label: env }} onChange={(e) => go({ env: e.detail.selectedOption.value })} />
      <Segmented label="Time span" options={spans} selectedId={String(search.minutes ?? 60)} onChange={(e) => go({ minutes: Number(e.detail.selectedId) })} />
    </Stack>
  )
}

function View({ model, env, minutes }: { model: string; env: string; minutes: number }) {
  const traffic = useQuery(observe.traffic(model, env, minutes))
  return (
    <Stack size="l">
      <Async query={traffic} label="Reading the counters">{(t) => <Charts model={model} env={env} points={t.items} minutes={minutes} />}</Async>
      <Captures model={model} env={env} />
    </Stack>
  )
}
