import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../../data/action'
import { useMay } from '../../../data/hooks'
import { cancelRun, isFinal, retryRun } from '../../../data/runs'
import type { Run } from '../../../data/schema'
import { paths } from '../../../lib/paths'
import { Button, ReasonDialog, Stack } from '../../../ui'

export function Actions({ run }: { run: Run }) {
  const may = useMay('runs:write')
  const router = useRouter()
  const key = useOnceKey()
  const [open, setOpen] = useState(false)
  const cancel = useAction((reason: string) => cancelRun(run.id, reason), { stale: ['runs'], done: 'The run is cancelled.', then: () => setOpen(false) })
  const retry = useAction(() => retryRun(run.id, key), { stale: ['runs'], done: 'Started again with the same settings.', then: (r) => router.history.push(paths.run(r.id)) })
  const going = !isFinal(run)
  return (
    <Stack direction="horizontal" size="xs">
      <Button href={paths.lineage(`run:${run.id}`)} iconName="share">Lineage</Button>
      {going && <Button disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen(true)}>Cancel run</Button>}
      {!going && <Button disabled={!may.ok} disabledReason={may.why} loading={retry.busy} onClick={() => retry.run(undefined)}>Retry</Button>}
      {open && (
        <ReasonDialog title="Cancel this run?" action="Cancel run" leave="Let it run" busy={cancel.busy} error={cancel.error} onClose={() => setOpen(false)} onSubmit={cancel.run}>
          <p>The training process is told to stop. What it learned so far is not kept; the data waits for the next run.</p>
        </ReasonDialog>
      )}
    </Stack>
  )
}
