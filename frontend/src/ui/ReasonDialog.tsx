import { useState, type ReactNode } from 'react'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Modal from '@cloudscape-design/components/modal'
import Stack from '@cloudscape-design/components/space-between'
import Textarea from '@cloudscape-design/components/textarea'
import { ErrorState } from './Async'

interface Props {
  title: string
  action: string
  onClose: () => void
  onSubmit: (reason: string) => void
  busy: boolean
  error: unknown
  children?: ReactNode
  optional?: boolean
  disabled?: boolean
  leave?: string // the word for going away, where "Cancel" could mean the thing itself
}

/** Asks for the reason that the audit keeps, before something is done. */
export function ReasonDialog({ title, action, onClose, onSubmit, busy, error, children, optional = false, disabled = false, leave = 'Cancel' }: Props) {
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const missing = !optional && reason.trim() === ''
  const submit = () => {
    setTried(true)
    if (!missing && !disabled && !busy) onSubmit(reason.trim())
  }
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Stack direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>{leave}</Button>
            <Button variant="primary" loading={busy} disabled={disabled} onClick={submit}>{action}</Button>
          </Stack>
        </Box>
      }
    >
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Stack size="m">
          {children}
          <FormField label={optional ? 'Reason (optional)' : 'Reason'} description="Kept in the audit log under your name." errorText={tried && missing ? 'Say why; others will read it.' : undefined}>
            <Textarea value={reason} onChange={(e) => setReason(e.detail.value)} rows={3} ariaRequired={!optional} autoFocus />
          </FormField>
          {error ? <ErrorState error={error} /> : null}
        </Stack>
      </form>
    </Modal>
  )
}
