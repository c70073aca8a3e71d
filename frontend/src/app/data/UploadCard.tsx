import { useState } from 'react'
import { useMay } from '../../data/hooks'
import type { Dataset } from '../../data/schema'
import { Alert, Card, FileDropzone, FileInput, FormField, Header, Select, Stack } from '../../ui'
import { accepted, Failed, Sending } from './Sending'
import { useUpload } from './useUpload'

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
          ? <Sending {...upload.state} onStop={upload.stop} />
          : (
            <FileDropzone onChange={(e) => upload.start({ dataset, file: e.detail.value[0] })}>
              <Stack size="xs" alignItems="center">
                <span>Drop a file here, or</span>
                <FileInput value={[]} onChange={(e) => upload.start({ dataset, file: e.detail.value[0] })} accept={accepted} ariaLabel="Choose a file to upload">Choose file</FileInput>
                <span className="soft">Large files go in parts and go on after a broken connection.</span>
              </Stack>
            </FileDropzone>
          )}
        {upload.failed && <Failed {...upload.failed} />}
      </Stack>
    </Card>
  )
}
