import { useMay } from '../../../data/hooks'
import type { Ingestion } from '../../../data/schema'
import { Button, FileInput, Stack } from '../../../ui'
import { accepted, Failed, Sending } from '../Sending'
import { useUpload } from '../useUpload'

/** Takes the mended file of an arrival in quarantine; the two are linked. */
export function Mend({ ingestion: { id, dataset } }: { ingestion: Ingestion }) {
  const may = useMay('data:write')
  const upload = useUpload()
  if (!may.ok) return <Button disabled disabledReason={may.why}>Upload the mended file</Button>
  return (
    <Stack size="xs">
      {upload.state
        ? <Sending {...upload.state} onStop={upload.stop} />
        : <FileInput value={[]} accept={accepted} ariaLabel="Choose the mended file" onChange={(e) => upload.start({ dataset, resubmits: id, file: e.detail.value[0] })}>Upload the mended file</FileInput>}
      {upload.failed && <Failed {...upload.failed} />}
    </Stack>
  )
}
