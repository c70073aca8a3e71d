import { useState } from 'react'
import { useAction } from '../../../data/action'
import { discardIngestion, publishIngestion } from '../../../data/datasets'
import { useMay } from '../../../data/hooks'
import type { Ingestion } from '../../../data/schema'
import { plural } from '../../../lib/format'
import { Button, ReasonDialog, Stack } from '../../../ui'

/** What can be done with a file in quarantine. */
export function Choices({ ingestion: i }: { ingestion: Ingestion }) {
  const may = useMay('data:write')
  const [open, setOpen] = useState<'publish' | 'discard'>()
  const close = () => setOpen(undefined)
  const publish = useAction((reason: string) => publishIngestion(i.id, reason), { stale: ['ingestions', 'datasets'], done: `${plural(i.counts.accepted, 'row')} of ${i.name} were published.`, then: close })
  const discard = useAction((reason: string) => discardIngestion(i.id, reason), { stale: ['ingestions'], done: `${i.name} was discarded; nothing was published.`, then: close })
  if (i.status !== 'Quarantined') return null
  return (
    <Stack direction="horizontal" size="xs">
      <Button disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen('discard')}>Discard</Button>
      <Button variant="primary" disabled={!may.ok || i.counts.accepted === 0} disabledReason={may.why ?? 'There is no good row to publish'} onClick={() => setOpen('publish')}>Publish valid rows</Button>
      {open === 'publish' && (
        <ReasonDialog title={`Publish ${plural(i.counts.accepted, 'valid row')}?`} action="Publish" busy={publish.busy} error={publish.error} onClose={close} onSubmit={publish.run}>
          <p>The {plural(i.counts.rejected, 'rejected row')} stay in quarantine for download. The published rows become the next version of {i.dataset}.</p>
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
