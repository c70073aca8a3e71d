import { bytes } from '../../lib/format'
import { explain } from '../../lib/problem'
import { Button, ErrorState, ProgressBar, Stack } from '../../ui'
import type { Failure, Progressing } from './useUpload'

export const accepted = '.jsonl,.ndjson,.csv,.gz'

/** A file on its way. */
export function Sending({ name, sent, total, onStop }: Progressing & { onStop: () => void }) {
  return (
    <ProgressBar value={total ? (100 * sent) / total : 100} label={`Uploading ${name}`} description={`${bytes(sent)} of ${bytes(total)}`}
      additionalInfo={<Button variant="inline-link" onClick={onStop}>Stop the upload</Button>} />
  )
}

/** Why a file did not arrive. What arrived of a large one is kept, so trying again sends the rest. */
export function Failed({ name, error, again }: Failure) {
  if (!explain(error).retry) return <ErrorState error={error} />
  return (
    <Stack size="xs">
      <ErrorState error={error} onRetry={again} />
      <span className="soft">Trying again sends what is missing of {name}; so does choosing the file again within a week.</span>
    </Stack>
  )
}
