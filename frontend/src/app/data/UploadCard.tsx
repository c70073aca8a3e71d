import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { useMay } from '../../data/hooks'
import { notify } from '../../data/notices'
import type { Dataset } from '../../data/schema'
import { sendFile, type Progress } from '../../data/upload'
import { bytes } from '../../lib/format'
import { paths } from '../../lib/paths'
import { Alert, Button, Card, ErrorState, FileDropzone, FileInput, FormField, Header, ProgressBar, Select, Stack } from '../../ui'

const accepted = '.jsonl,.ndjson,.csv,.gz'

/** Takes a file by drop or choice and sends it, with progress; then opens its ingestion. */
export function UploadCard({ datasets }: { datasets: Pick<Dataset, 'id' | 'name'>[] }) {
  const may = useMay('data:write')
  const [dataset, setDataset] = useState(datasets[0]?.id ?? '')
  const upload = useUpload()
  const options = datasets.map((d) => ({ value: d.id, label: d.name }))
  if (!may.ok) return <Alert type="info" header="You can look, but not upload">{may.why}. Ask an administrator.</Alert>
  return (
    <Card header={<Header variant="h2" description="JSONL or CSV, plain or gzip: chat messages, or prompt and completion.">Upload</Header>}>
      <Stack size="s">
        {options.length > 1 && (
          <FormField label="Into dataset">
            <Select options={options} selectedOption={options.find((o) => o.value === dataset) ?? null} onChange={(e) => setDataset(e.detail.selectedOption.value ?? '')} />
          </FormField>
        )}
        {upload.state
          ? <Sending name={upload.state.name} progress={upload.state.progress} onStop={upload.stop} />
          : (
            <FileDropzone onChange={(e) => upload.start(dataset, e.detail.value)}>
              <Stack size="xs" alignItems="center">
                <span>Drop a file here, or</span>
                <FileInput value={[]} onChange={(e) => upload.start(dataset, e.detail.value)} accept={accepted} ariaLabel="Choose a file to upload">Choose file</FileInput>
                <span className="soft">Large files go in parts and go on after a broken connection.</span>
              </Stack>
            </FileDropzone>
          )}
        {upload.error ? <ErrorState error={upload.error} /> : null}
      </Stack>
    </Card>
  )
}

function Sending({ name, progress, onStop }: { name: string; progress: Progress; onStop: () => void }) {
  const share = progress.total ? (100 * progress.sent) / progress.total : 100
  return (
    <ProgressBar value={share} label={`Uploading ${name}`} description={`${bytes(progress.sent)} of ${bytes(progress.total)}`}
      additionalInfo={<Button variant="inline-link" onClick={onStop}>Stop the upload</Button>} />
  )
}

function useUpload() {
  const router = useRouter()
  const client = useQueryClient()
  const abort = useRef<AbortController>(undefined)
  const [state, setState] = useState<{ name: string; progress: Progress }>()
  const [error, setError] = useState<unknown>()
  const start = async (dataset: string, files: File[]) => {
    const file = files[0]
    if (!file) return
    abort.current = new AbortController()
    setError(undefined)
    setState({ name: file.name, progress: { sent: 0, total: file.size } })
    try {
      const ingestion = await sendFile({ dataset, file, signal: abort.current.signal, onProgress: (progress) => setState({ name: file.name, progress }) })
      await client.invalidateQueries({ queryKey: ['ingestions'] })
      router.history.push(paths.ingestion(ingestion.id))
    } catch (cause) {
      if (abort.current.signal.aborted) notify('info', `The upload of ${file.name} was stopped; nothing was kept.`)
      else setError(cause)
    } finally {
      setState(undefined)
    }
  }
  return { state, error, start: (d: string, f: File[]) => void start(d, f), stop: () => abort.current?.abort() }
}
