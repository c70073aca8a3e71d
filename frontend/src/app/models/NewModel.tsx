import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../data/action'
import { benchmarks } from '../../data/benchmarks'
import { datasets } from '../../data/datasets'
import { createModel } from '../../data/models'
import { paths } from '../../lib/paths'
import { slugFault } from '../../lib/slug'
import { Box, Button, ErrorState, FormField, Input, Modal, Multiselect, Select, Stack } from '../../ui'

export function NewModel({ onClose }: { onClose: () => void }) {
  const router = useRouter()
  const sets = useQuery(datasets.list())
  const suites = useQuery(benchmarks.list())
  const [id, setId] = useState('')
  const [name, setName] = useState('')
  const [dataset, setDataset] = useState('')
  const [guards, setGuards] = useState<string[]>([])
  const [tried, setTried] = useState(false)
  const create = useAction(createModel, { stale: ['models'], done: (m) => `Model ${m.name} is there. Import its base version next.`, then: (m) => router.history.push(paths.model(m.id)) })
  const setOptions = (sets.data?.items ?? []).map((d) => ({ value: d.id, label: d.name }))
  const suiteOptions = (suites.data?.items ?? []).map((b) => ({ value: b.benchmark, label: b.title || b.benchmark }))
  const fault = slugFault(id)
  const submit = () => {
    setTried(true)
    if (!fault && dataset) create.run({ id, name: name || undefined, dataset, benchmarks: guards })
  }
  return (
    <Modal visible header="Add model" closeAriaLabel="Close" onDismiss={onClose} footer={
      <Box float="right"><Stack direction="horizontal" size="xs"><Button variant="link" onClick={onClose}>Cancel</Button><Button variant="primary" loading={create.busy} onClick={submit}>Add model</Button></Stack></Box>
    }>
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Stack size="m">
          <FormField label="Id" description="Used in addresses and by callers of the gateway." errorText={tried ? fault : undefined}><Input value={id} onChange={(e) => setId(e.detail.value)} autoFocus /></FormField>
          <FormField label="Name (optional)"><Input value={name} onChange={(e) => setName(e.detail.value)} /></FormField>
          <FormField label="Learns from" errorText={tried && !dataset ? 'Choose the dataset.' : undefined}>
            <Select options={setOptions} selectedOption={setOptions.find((o) => o.value === dataset) ?? null} placeholder="Choose a dataset" empty="Add a dataset first" onChange={(e) => setDataset(e.detail.selectedOption.value ?? '')} />
          </FormField>
          <FormField label="Guarded by" description="Without benchmarks the gate never passes.">
            <Multiselect options={suiteOptions} selectedOptions={suiteOptions.filter((o) => guards.includes(o.value))} empty="No benchmarks yet" placeholder="Choose benchmarks" onChange={(e) => setGuards(e.detail.selectedOptions.map((o) => o.value ?? ''))} />
          </FormField>
          {create.error && <ErrorState error={create.error} />}
        </Stack>
      </form>
    </Modal>
  )
}
