import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { releases, rollBack } from '../../data/releases'
import type { Environment, Rollback, Target } from '../../data/schema'
import { digest, duration } from '../../lib/format'
import { serving, wayBack } from '../../lib/traffic'
import { Alert, Button, Drawer, ErrorState, FormField, Input, Phase, RadioGroup, Stack, Status, Textarea } from '../../ui'

const presets = ['wrong answers', 'too many errors', 'too slow', 'unsafe answers']

const label = (t: Target) => ({ value: String(t.version), label: `version ${t.version}`, description: `${digest(t.digest)} · ${t.weight > 0 ? `carries ${t.weight}% now` : 'warm: answers at once'}` })

/** One click, a reason, Enter: back to the version before. The bad version is held until somebody lets it in again. */
export default function RollbackDrawer({ environment, onClose }: { environment: Environment; onClose: () => void }) {
  const [first] = useState(environment) // what was true when it was opened, also while the page behind changes
  const [done, setDone] = useState<Rollback>()
  return done ? <Progress rollback={done} onClose={onClose} /> : <Ask environment={first} onClose={onClose} onDone={setDone} />
}

interface AskProps {
  environment: Environment
  onClose: () => void
  onDone: (rollback: Rollback) => void
}

/** The state of the form: where to, why, and whether that is enough. */
function useAsk({ environment: e, onDone }: AskProps) {
  const key = useOnceKey()
  const targets = wayBack(e)
  const [version, setVersion] = useState<number>()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [tried, setTried] = useState(false)
  const act = useAction(() => rollBack(e, version ?? 0, reason.trim(), key), { stale: ['environments', 'releases', 'rollbacks'], then: onDone })
  const to = targets.find((t) => t.version === version) ?? targets[0]
  const cold = !to && e.name === 'production'
  const noReason = reason.trim() === ''
  const ready = !noReason && (!cold || typed === e.name) && !act.busy
  const submit = () => {
    setTried(true)
    if (ready) act.run(undefined)
  }
  return { targets, to, cold, reason, setReason, typed, setTyped, setVersion, missing: tried && noReason, busy: act.busy, error: act.error, submit }
}

function Ask(props: AskProps) {
  const { environment: e, onClose } = props
  const ask = useAsk(props)
  const live = serving(e)
  return (
    <Drawer title={`Roll back ${e.name}`} onClose={onClose} footer={
      <><Button variant="link" onClick={onClose}>Cancel</Button><Button variant="primary" loading={ask.busy} onClick={ask.submit}>{ask.to ? `Roll back to version ${ask.to.version}` : 'Roll back'}</Button></>
    }>
      <form onSubmit={(ev) => (ev.preventDefault(), ask.submit())}>
        <Stack size="l">
          <p className="from-to">Version {live?.version} serves {e.name} now.</p>
          <FormField label="Back to"><Targets targets={ask.targets} to={ask.to} onPick={ask.setVersion} /></FormField>
          <FormField label="Reason" description="Kept in the audit log under your name." errorText={ask.missing ? 'Say why; one word is enough now.' : undefined}>
            <Stack size="xs">
              <div className="chips">{presets.map((p) => <Button key={p} formAction="none" onClick={() => ask.setReason(p)}>{p}</Button>)}</div>
              <Textarea value={ask.reason} rows={2} ariaRequired autoFocus onChange={(ev) => ask.setReason(ev.detail.value)}
                onKeyDown={(ev) => ev.detail.key === 'Enter' && !ev.detail.shiftKey && (ev.preventDefault(), ask.submit())} />
            </Stack>
          </FormField>
          {ask.cold && <FormField label={`Type ${e.name} to confirm`}><Input value={ask.typed} onChange={(ev) => ask.setTyped(ev.detail.value)} /></FormField>}
          <Alert type="info">All requests move at once. Version {live?.version} is then held out of {e.name}: no trigger brings it back until somebody releases the hold.</Alert>
          {ask.error && <ErrorState error={ask.error} />}
        </Stack>
      </form>
    </Drawer>
  )
}

function Targets({ targets, to, onPick }: { targets: Target[]; to: Target | undefined; onPick: (version: number) => void }) {
  if (!to) return <Alert type="warning">No version is warm here. The platform starts the one before, which takes longer.</Alert>
  return <RadioGroup value={String(to.version)} items={targets.map(label)} onChange={(ev) => onPick(Number(ev.detail.value))} />
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
          {r.status === 'Done' && <Alert type="success" header={`Version ${r.to.version} serves ${r.environment}`}>Done and verified in {duration(r.seconds * 1000)}. Version {r.from.version} is held.</Alert>}
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
