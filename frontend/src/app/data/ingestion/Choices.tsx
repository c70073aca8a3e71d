import { useState } from 'react'
import { useAction } from '../../../data/action'
import { discardIngestion, publishIngestion, retryIngestion } from '../../../data/datasets'
import { useDatasetName, useMay } from '../../../data/hooks'
import type { Ingestion } from '../../../data/schema'
import { plural } from '../../../lib/format'
import { Button, ErrorState, ReasonDialog, Stack } from '../../../ui'

/** What can be done with a file in quarantine, or with one whose checks failed. */
export function Choices({ ingestion }: { ingestion: Ingestion }) {
  if (ingestion.status === 'Failed') return <Again ingestion={ingestion} />
  return ingestion.status === 'Quarantined' ? <Decide ingestion={ingestion} /> : null
}

function Again({ ingestion: i }: { ingestion: Ingestion }) {
  const may = useMay('data:write')
  const retry = useAction(() => retryIngestion(i.id), { stale: ['ingestions'], done: `${i.name} is checked again.` })
  return (
    <Stack size="xs">
      <Button variant="primary" loading={retry.busy} disabled={!may.ok} disabledReason={may.why} onClick={() => retry.run(undefined)}>Check again</Button>
      {retry.error ? <ErrorState error={retry.error} /> : null}
    </Stack>
  )
}

function Decide({ ingestion: i }: { ingestion: Ingestion }) {
  const name = useDatasetName(i.dataset)
  const may = useMay('data:write')
  const [open, setOpen] = useState<'publish' | 'discard'>()
  const close = () => setOpen(undefined)
  const publish = useAction((reason: string) => publishIngestion(i.id, reason), { stale: ['ingestions', 'datasets'], done: `${plural(i.counts.accepted, 'row')} of ${i.name} were published.`, then: close })
  const discard = useAction((reason: string) => discardIngestion(i.id, reason), { stale: ['ingestions'], done: `${i.name} was discarded; nothing was published.`, then: close })
  return (
    <Stack direction="horizontal" size="xs">
      <Button disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen('discard')}>Discard</Button>
      <Button variant="primary" disabled={!may.ok || i.counts.accepted === 0} disabledReason={may.why ?? 'There is no good row to publish'} onClick={() => setOpen('publish')}>Publish valid rows</Button>
      {open === 'publish' && (
        <ReasonDialog title={`Publish ${plural(i.counts.accepted, 'valid row')}?`} action="Publish" busy={publish.busy} error={publish.error} onClose={close} onSubmit={publish.run}>
          <p>The {plural(i.counts.rejected, 'rejected row')} stay in quarantine for download. The published rows become the next version of {name}.</p>
        </ReasonDialog>
      )}
      {open === 'discard' && (
        <ReasonDialog title={`Discard ${i.name}?`} action="Discard" busy={discard.busy} error={discard.error} onClose={close} onSubmit={discard.run}>
          <p>Nothing of it is published. The file can be uploaded again.</p>
        </ReasonDialog>
      )}
    </Stack>
  )
}
