import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '../../../data/hooks'
import type { Ingestion } from '../../../data/schema'
import { sendFile, type Progress } from '../../../data/upload'
import { paths } from '../../../lib/paths'
import { Button, ErrorState, FileInput, ProgressBar, Stack } from '../../../ui'

/** Takes the mended file of an arrival in quarantine; the two are linked. */
export function Mend({ ingestion: i }: { ingestion: Ingestion }) {
  const may = useMay('data:write')
  const router = useRouter()
  const client = useQueryClient()
  const [progress, setProgress] = useState<Progress>()
  const [error, setError] = useState<unknown>()
  const send = async (file: File | undefined) => {
    if (!file) return
    setError(undefined)
    setProgress({ sent: 0, total: file.size })
    try {
      const next = await sendFile({ dataset: i.dataset, resubmits: i.id, file, signal: new AbortController().signal, onProgress: setProgress })
      await client.invalidateQueries({ queryKey: ['ingestions'] })
      router.history.push(paths.ingestion(next.id))
    } catch (cause) {
      setError(cause)
    } finally {
      setProgress(undefined)
    }
  }
  if (!may.ok) return <Button disabled disabledReason={may.why}>Upload the mended file</Button>
  return (
    <Stack size="xs">
      {progress
        ? <ProgressBar value={progress.total ? (100 * progress.sent) / progress.total : 100} label="Uploading the mended file" />
        : <FileInput value={[]} accept=".jsonl,.ndjson,.csv,.gz" ariaLabel="Choose the mended file" onChange={(e) => void send(e.detail.value[0])}>Upload the mended file</FileInput>}
      {error ? <ErrorState error={error} /> : null}
    </Stack>
  )
}
