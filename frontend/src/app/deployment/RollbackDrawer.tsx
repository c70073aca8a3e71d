import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { releases, rollBack } from '../../data/releases'
import type { Environment, Rollback, Target } from '../../data/schema'
import { digest } from '../../lib/format'
import { serving, wayBack } from '../../lib/traffic'
import { Alert, Button, Drawer, ErrorState, FormField, Input, Phase, RadioGroup, Stack, Status, Textarea } from '../../ui'

const presets = ['wrong answers', 'too many errors', 'too slow', 'unsafe answers']

const label = (t: Target) => ({ value: String(t.version), label: `version ${t.version}`, description: `${digest(t.digest)} · ${t.weight > 0 ? `carries ${t.weight} % now` : 'warm: answers at once'}` })

/** One click, a reason, Enter: back to the version before. The bad version is held until somebody lets it in again. */
export function RollbackDrawer({ environment: e, onClose }: { environment: Environment; onClose: () => void }) {
  const key = useOnceKey()
  const [first] = useState(e) // what was true when it was opened, also while the page behind changes
  const [done, setDone] = useState<Rollback>()
  const targets = wayBack(first)
  const live = serving(first)
  const [version, setVersion] = useState<number>()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [tried, setTried] = useState(false)
  const to = targets.find((t) => t.version === version) ?? targets[0]
  const act = useAction(() => rollBack(first, version ?? 0, reason.trim(), key), { stale: ['environments', 'releases', 'rollbacks'], then: setDone })
  const cold = !to && first.name === 'production'
  const ready = reason.trim() !== '' && (!cold || typed === first.name)
  const submit = () => {
    setTried(true)
    if (ready && !act.busy) act.run(undefined)
  }
  if (done) return <Progress rollback={done} onClose={onClose} />
  return (
    <Drawer title={`Roll back ${first.name}`} onClose={onClose} footer={
      <><Button variant="link" onClick={onClose}>Cancel</Button><Button variant="primary" loading={act.busy} onClick={submit}>{to ? `Roll back to version ${to.version}` : 'Roll back'}</Button></>
    }>
      <form onSubmit={(ev) => (ev.preventDefault(), submit())}>
        <Stack size="l">
          <p className="from-to"><span>version {live?.version} serves {first.name} now</span></p>
          <FormField label="Back to">
            {to ? <RadioGroup value={String(to.version)} items={targets.map(label)} onChange={(ev) => setVersion(Number(ev.detail.value))} />
              : <Alert type="warning">No version is warm here. The platform starts the one before, which takes longer.</Alert>}
          </FormField>
          <FormField label="Reason" description="Kept in the audit log under your name." errorText={tried && reason.trim() === '' ? 'Say why; one word is enough now.' : undefined}>
            <Stack size="xs">
              <div className="chips">{presets.map((p) => <Button key={p} variant="normal" onClick={() => setReason(p)}>{p}</Button>)}</div>
              <Textarea value={reason} rows={2} ariaRequired autoFocus onChange={(ev) => setReason(ev.detail.value)}
                onKeyDown={(ev) => ev.detail.key === 'Enter' && !ev.detail.shiftKey && (ev.preventDefault(), submit())} />
            </Stack>
          </FormField>
          {cold && <FormField label={`Type ${first.name} to confirm`}><Input value={typed} onChange={(ev) => setTyped(ev.detail.value)} /></FormField>}
          <Alert type="info">All requests move at once. Version {live?.version} is then held out of {first.name}: no trigger brings it back until somebody releases the hold.</Alert>
          {act.error && <ErrorState error={act.error} />}
        </Stack>
      </form>
    </Drawer>
  )
}

const order = ['Shifting', 'Verifying', 'Done']

function Progress({ rollback, onClose }: { rollback: Rollback; onClose: () => void }) {
  const now = useQuery({ ...releases.rollback(rollback.id), initialData: rollback })
  const r = now.data
  const at = order.indexOf(r.status)
  return (
    <Drawer title={`Roll back ${r.environment}`} onClose={onClose} footer={<Button variant="primary" onClick={onClose}>Close</Button>}>
      <div data-testid="rollback-progress" aria-live="polite">
        <Stack size="m">
          {r.status === 'Done' && <Alert type="success" header={`Version ${r.to.version} serves ${r.environment}`}>Done and verified in {r.seconds.toFixed(1)} seconds. Version {r.from.version} is held.</Alert>}
          {r.status === 'Failed' && <Alert type="error" header="The rollback failed">{r.error}</Alert>}
          <ol className="timeline">
            {order.map((name, i) => (
              <li key={name}><span className="timeline-name">{name}</span>{i < at || r.status === 'Done' ? <Status type="success">done</Status> : i === at ? <Phase phase={r.status} /> : <Status type="pending">next</Status>}</li>
            ))}
          </ol>
        </Stack>
      </div>
    </Drawer>
  )
}
