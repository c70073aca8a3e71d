import { Alert, Box, Copy } from '../../ui'

/** Something that is shown this once. */
export function Secret({ title, value, onClose }: { title: string; value: string; onClose: () => void }) {
  return (
    <Box margin={{ bottom: 'm' }}>
      <Alert type="success" header={title} dismissible dismissAriaLabel="I have copied it" onDismiss={onClose}>
        Copy it now; it is not shown again. <code>{value}</code> <Copy text={value} about="Copy it" />
      </Alert>
    </Box>
  )
}
