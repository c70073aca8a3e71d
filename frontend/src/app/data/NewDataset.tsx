import { useState } from 'react'
import { useRouter } from '@tanstack/react-router'
import { useAction } from '../../data/action'
import { createDataset } from '../../data/datasets'
import { paths } from '../../lib/paths'
import { slugFault } from '../../lib/slug'
import { Box, Button, ErrorState, FormField, Input, Modal, Stack } from '../../ui'

export function NewDataset({ onClose }: { onClose: () => void }) {
  const router = useRouter()
  const [form, setForm] = useState({ id: '', name: '', licence: '', consent: '' })
  const [tried, setTried] = useState(false)
  const create = useAction(createDataset, { stale: ['datasets'], done: (d) => `Dataset ${d.name} is there. Upload its first file.`, then: (d) => router.history.push(paths.dataset(d.id)) })
  const fault = slugFault(form.id)
  const set = (key: keyof typeof form) => (e: { detail: { value: string } }) => setForm({ ...form, [key]: e.detail.value })
  const submit = () => {
    setTried(true)
    if (!fault) create.run({ id: form.id, name: form.name || undefined, licence: form.licence || undefined, consent: form.consent || undefined })
  }
  return (
    <Modal visible header="Add dataset" closeAriaLabel="Close" onDismiss={onClose} footer={
      <Box float="right"><Stack direction="horizontal" size="xs">
        <Button variant="link" onClick={onClose}>Cancel</Button>
        <Button variant="primary" loading={create.busy} onClick={submit}>Add dataset</Button>
      </Stack></Box>
    }>
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Stack size="m">
          <FormField label="Id" description="Used in addresses and on the command line; cannot be changed." errorText={tried ? fault : undefined}>
            <Input value={form.id} onChange={set('id')} placeholder="support" autoFocus />
          </FormField>
          <FormField label="Name (optional)"><Input value={form.name} onChange={set('name')} placeholder="Support desk" /></FormField>
          <FormField label="Licence (optional)" description="Under which the data may be used."><Input value={form.licence} onChange={set('licence')} /></FormField>
          <FormField label="Consent (optional)" description="Why the people in it agree."><Input value={form.consent} onChange={set('consent')} /></FormField>
          {create.error && <ErrorState error={create.error} />}
        </Stack>
      </form>
    </Modal>
  )
}
