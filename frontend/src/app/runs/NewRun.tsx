import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { models } from '../../data/models'
import { startRun } from '../../data/runs'
import { paths } from '../../lib/paths'
import { FormField, ReasonDialog, RadioGroup, Select } from '../../ui'

const presets = [
  { value: 'safe', label: 'safe', description: 'Small adapters, old data replayed, held close to the model before: learns without forgetting.' },
  { value: 'naive', label: 'naive', description: 'Learns the new data only. For comparison; it forgets.' },
]

/** Starts training by hand. */
export function NewRun({ model, onClose }: { model?: string; onClose: () => void }) {
  const router = useRouter()
  const all = useQuery(models.list())
  const key = useOnceKey()
  const options = (all.data?.items ?? []).map((m) => ({ value: m.id, label: m.name, description: `learns from ${m.dataset}` }))
  const [chosen, setChosen] = useState(model)
  const [preset, setPreset] = useState('safe')
  const id = chosen ?? options[0]?.value
  const start = useAction((reason: string) => startRun({ model: id ?? '', preset, reason: reason || undefined }, key), {
    stale: ['runs'], done: 'Training has started.', then: (r) => router.history.push(paths.run(r.id)),
  })
  return (
    <ReasonDialog title="Start training" action="Start training" optional disabled={!id} busy={start.busy} error={start.error} onClose={onClose} onSubmit={start.run}>
      <FormField label="Model">
        <Select options={options} selectedOption={options.find((o) => o.value === id) ?? null} placeholder="Choose a model" empty="There is no model yet" onChange={(e) => setChosen(e.detail.selectedOption.value)} />
      </FormField>
      <FormField label="Preset"><RadioGroup items={presets} value={preset} onChange={(e) => setPreset(e.detail.value)} /></FormField>
    </ReasonDialog>
  )
}
