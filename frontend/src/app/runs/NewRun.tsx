import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { datasets } from '../../data/datasets'
import { models } from '../../data/models'
import { startRun } from '../../data/runs'
import { paths } from '../../lib/paths'
import { presets } from '../../lib/presets'
import { FormField, ReasonDialog, Select } from '../../ui'

/** Starts training by hand. */
export function NewRun({ model, onClose }: { model?: string; onClose: () => void }) {
  const router = useRouter()
  const all = useQuery(models.list())
  const key = useOnceKey()
  const items = all.data?.items ?? []
  const names = new Map(useQuery(datasets.list()).data?.items.map((d) => [d.id, d.name]))
  const options = items.map((m) => ({ value: m.id, label: m.name, description: `learns from ${names.get(m.dataset) ?? m.dataset}` }))
  const [chosen, setChosen] = useState(model)
  const [picked, setPicked] = useState<string>()
  const id = chosen ?? options[0]?.value
  const preset = presets.find((p) => p.value === (picked ?? items.find((m) => m.id === id)?.preset)) ?? presets[0]!
  const start = useAction((reason: string) => startRun({ model: id ?? '', preset: preset.value, reason: reason || undefined }, key), {
    stale: ['runs'], done: 'Training has started.', then: (r) => router.history.push(paths.run(r.id)),
  })
  return (
    <ReasonDialog title="Start training" action="Start training" optional disabled={!id} busy={start.busy} error={start.error} onClose={onClose} onSubmit={start.run}>
      <FormField label="Model">
        <Select options={options} selectedOption={options.find((o) => o.value === id) ?? null} placeholder="Choose a model" empty="There is no model yet" onChange={(e) => setChosen(e.detail.selectedOption.value)} />
      </FormField>
      <FormField label="Preset" description={preset.description}>
        <Select options={presets} selectedOption={{ value: preset.value }} onChange={(e) => setPicked(e.detail.selectedOption.value)} />
      </FormField>
    </ReasonDialog>
  )
}
