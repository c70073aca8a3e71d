import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../../data/action'
import { useMay } from '../../../data/hooks'
import { models, setTrigger } from '../../../data/models'
import type { Trigger as TriggerType } from '../../../data/schema'
import { plural } from '../../../lib/format'
import { scheduleFault } from '../../../lib/schedule'
import { Async, Button, Card, Columns, ErrorState, Facts, Form, FormField, Header, Input, Stack, Time, Toggle } from '../../../ui'

/** When training starts by itself. */
export function Trigger({ model }: { model: string }) {
  const trigger = useQuery(models.trigger(model))
  return <Async query={trigger}>{(t) => <Stack size="l"><Now t={t} /><Edit key={t.rev} trigger={t} /></Stack>}</Async>
}

function Now({ t }: { t: TriggerType }) {
  const need = t.minRows ? `${plural(t.pendingRows, 'row')} of ${t.minRows}` : plural(t.pendingRows, 'row')
  return (
    <Card><Facts columns={4} items={[
      { label: 'New rows since the last run', value: need }, { label: 'Last arrival', value: <Time at={t.lastArrival} /> },
      { label: 'Last run', value: <Time at={t.lastRun} /> }, { label: 'Next by schedule', value: <Time at={t.nextRun} /> },
    ]} /></Card>
  )
}

type Numbers = 'minRows' | 'debounce' | 'cooldown'
const fields: { key: Numbers; label: string; about: string }[] = [
  { key: 'minRows', label: 'New rows that suffice', about: '0: data never starts training.' },
  { key: 'debounce', label: 'Quiet seconds', about: 'After the last arrival; files may come together.' },
  { key: 'cooldown', label: 'Seconds between runs', about: 'At least so long after the last run began.' },
]

function Edit({ trigger }: { trigger: TriggerType }) {
  const may = useMay('models:write')
  const [t, setT] = useState(trigger)
  const save = useAction(() => setTrigger(t), { stale: ['models'], done: 'The trigger is saved.' })
  const fault = scheduleFault(t.schedule)
  const number = (key: Numbers) => (e: { detail: { value: string } }) => setT({ ...t, [key]: Math.max(0, Math.floor(Number(e.detail.value) || 0)) })
  return (
    <form onSubmit={(e) => (e.preventDefault(), !fault && save.run(undefined))}>
      <Form actions={<Button variant="primary" formAction="submit" loading={save.busy} disabled={!may.ok || !!fault} disabledReason={may.why ?? fault}>Save trigger</Button>}>
        <Card header={<Header variant="h2">Trigger</Header>}>
          <Stack size="m">
            <Toggle checked={t.enabled} disabled={!may.ok} onChange={(e) => setT({ ...t, enabled: e.detail.checked })}>Training may start by itself</Toggle>
            <Columns columns={3}>{fields.map((f) => <FormField key={f.key} label={f.label} description={f.about}><Input type="number" disabled={!may.ok} value={String(t[f.key])} onChange={number(f.key)} /></FormField>)}</Columns>
            <Columns columns={2}>
              <FormField label="Schedule" description="cron(minutes hours day month weekday year) or rate(1 day); empty for none." errorText={fault}><Input disabled={!may.ok} value={t.schedule} placeholder="cron(0 3 ? * MON *)" onChange={(e) => setT({ ...t, schedule: e.detail.value })} /></FormField>
              <FormField label="Time zone" description="Of the schedule; empty is UTC."><Input disabled={!may.ok} value={t.timezone} placeholder="Europe/Vienna" onChange={(e) => setT({ ...t, timezone: e.detail.value })} /></FormField>
            </Columns>
            {save.error && <ErrorState error={save.error} />}
          </Stack>
        </Card>
      </Form>
    </form>
  )
}
