import { useState } from 'react'
import { roles as all } from '../../data/identity'
import type { Role } from '../../data/schema'
import { Box, Button, ErrorState, FormField, Input, Modal, Multiselect, Stack } from '../../ui'

const about: Record<Role, string> = {
  viewer: 'sees everything but the audit', 'data-engineer': 'brings data', 'ml-engineer': 'trains and asks for releases',
  approver: 'decides and rolls back', admin: 'everything, and gives roles',
}
const options = all.map((r) => ({ value: r, label: r, description: about[r] }))

export function RolePicker({ roles, onChange }: { roles: Role[]; onChange: (roles: Role[]) => void }) {
  return (
    <FormField label="Roles">
      <Multiselect options={options} selectedOptions={options.filter((o) => roles.includes(o.value))} placeholder="Choose roles" expandToViewport
        deselectAriaLabel={(o) => `Take away ${o.label}`} onChange={(e) => onChange(e.detail.selectedOptions.map((o) => o.value as Role))} />
    </FormField>
  )
}

interface Props {
  title: string
  label: string
  hint: string
  valid: RegExp
  busy: boolean
  error: unknown
  onClose: () => void
  onSubmit: (name: string, roles: Role[]) => void
}

/** Asks for a name and roles: for a user or for a key. */
export function NewNamed(p: Props) {
  const [name, setName] = useState('')
  const [roles, setRoles] = useState<Role[]>(['viewer'])
  const [tried, setTried] = useState(false)
  const bad = !p.valid.test(name)
  const submit = () => {
    setTried(true)
    if (!bad && roles.length > 0) p.onSubmit(name, roles)
  }
  return (
    <Modal visible header={p.title} closeAriaLabel="Close" onDismiss={p.onClose} footer={
      <Box float="right"><Stack direction="horizontal" size="xs"><Button variant="link" onClick={p.onClose}>Cancel</Button><Button variant="primary" loading={p.busy} onClick={submit}>{p.title}</Button></Stack></Box>
    }>
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Stack size="m">
          <FormField label={p.label} description={p.hint} errorText={tried && bad ? p.hint : undefined}><Input value={name} onChange={(e) => setName(e.detail.value)} autoFocus /></FormField>
          <RolePicker roles={roles} onChange={setRoles} />
          {p.error ? <ErrorState error={p.error} /> : null}
        </Stack>
      </form>
    </Modal>
  )
}
