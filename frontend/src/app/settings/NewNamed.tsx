import { useState } from 'react'
import { roles as all } from '../../data/identity'
import type { Role } from '../../data/schema'
import { Box, Button, ErrorState, FormField, Input, Modal, Multiselect, Stack } from '../../ui'

const duties: Record<Role, string> = {
  viewer: 'sees everything but the audit', 'data-engineer': 'brings data', 'ml-engineer': 'trains and asks for releases',
  approver: 'decides and rolls back', admin: 'everything, and gives roles',
}
export interface Choice<T extends string> {
  value: T
  label: string
  description?: string
}

export const roleChoices: Choice<Role>[] = all.map((r) => ({ value: r, label: r, description: duties[r] }))

interface PickerProps<T extends string> {
  label: string
  about?: string
  choices: Choice<T>[]
  picked: T[]
  onChange: (picked: T[]) => void
}

export function Picker<T extends string>({ label, about, choices, picked, onChange }: PickerProps<T>) {
  return (
    <FormField label={label} description={about}>
      <Multiselect options={choices} selectedOptions={choices.filter((o) => picked.includes(o.value))} placeholder="Choose" expandToViewport
        deselectAriaLabel={(o) => `Take away ${o.label}`} onChange={(e) => onChange(e.detail.selectedOptions.map((o) => o.value as T))} />
    </FormField>
  )
}

interface Props<T extends string> {
  title: string
  label: string
  hint: string
  valid: RegExp
  rights: string
  about?: string
  choices: Choice<T>[]
  start: T[]
  busy: boolean
  error: unknown
  onClose: () => void
  onSubmit: (name: string, picked: T[]) => void
}

/** Asks for a name and rights: roles of a user, scopes of a key. */
export function NewNamed<T extends string>(p: Props<T>) {
  const [name, setName] = useState('')
  const [picked, setPicked] = useState(p.start)
  const [tried, setTried] = useState(false)
  const bad = !p.valid.test(name)
  const submit = () => {
    setTried(true)
    if (!bad && picked.length > 0) p.onSubmit(name, picked)
  }
  return (
    <Modal visible header={p.title} closeAriaLabel="Close" onDismiss={p.onClose} footer={
      <Box float="right"><Stack direction="horizontal" size="xs"><Button variant="link" onClick={p.onClose}>Cancel</Button><Button variant="primary" loading={p.busy} onClick={submit}>{p.title}</Button></Stack></Box>
    }>
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Stack size="m">
          <FormField label={p.label} description={p.hint} errorText={tried && bad ? p.hint : undefined}><Input value={name} onChange={(e) => setName(e.detail.value)} autoFocus /></FormField>
          <Picker label={p.rights} about={p.about} choices={p.choices} picked={picked} onChange={setPicked} />
          {p.error ? <ErrorState error={p.error} /> : null}
        </Stack>
      </form>
    </Modal>
  )
}
