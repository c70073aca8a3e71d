import { useState } from 'react'
import { useAction } from '../../../data/action'
import { useMe } from '../../../data/hooks'
import { decide } from '../../../data/releases'
import type { Approval } from '../../../data/schema'
import { missing, whyNotDecide } from '../../../lib/decide'
import { paths } from '../../../lib/paths'
import { Alert, Button, Card, ErrorState, FormField, Header, Link, Stack, Status, Textarea, Time } from '../../../ui'
import { useNow } from '../../../ui/Time'

/** Approve or reject with a reason; says who may not and why. */
export function DecisionBox({ approval: a }: { approval: Approval }) {
  const why = whyNotDecide(a, useMe(), useNow())
  return (
    <Card header={<Header variant="h2">Decision</Header>}>
      <Stack size="m">
        {a.breakGlass && <BreakGlass approval={a} />}
        <Decisions approval={a} />
        {why ? <Alert type={a.status === 'Pending' ? 'info' : a.status === 'Approved' ? 'success' : 'warning'} header={a.status === 'Pending' ? 'You cannot decide this' : undefined}>{why}</Alert> : <Choice approval={a} />}
        {a.status !== 'Pending' && <Link href={paths.release(a.release)}>Open the release</Link>}
      </Stack>
    </Card>
  )
}

function BreakGlass({ approval: a }: { approval: Approval }) {
  const pending = a.status === 'Pending'
  return <Alert type="warning" header="Break-glass">The gate said FAIL{pending ? ', and this release would go on nevertheless' : ''}. {a.required} people other than the requester {pending ? 'must' : 'had to'} agree, each with a reason.</Alert>
}

function Decisions({ approval: a }: { approval: Approval }) {
  if (a.decisions.length === 0 && a.required === 1) return null
  return (
    <div>
      {a.status === 'Pending' && <p className="soft">{missing(a)} of {a.required} approvals still needed</p>}
      <ul className="rows">
        {a.decisions.map((d) => (
          <li key={d.actor.id + d.time}>
            <div className="grow">
              <Status type={d.approve ? 'success' : 'error'}>{d.actor.name ?? d.actor.id} {d.approve ? 'approved' : 'rejected'}</Status>
              <div>“{d.reason}”</div>
              <div className="soft"><Time at={d.time} /></div>
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Choice({ approval: a }: { approval: Approval }) {
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const act = useAction((approve: boolean) => decide(a, approve, reason.trim()), {
    stale: ['approvals', 'releases'],
    done: (next) => (next.status === 'Approved' ? `Approved: version ${a.version} goes on its way.` : next.status === 'Rejected' ? `Rejected: version ${a.version} stays where it is.` : 'Your decision is recorded; another one is needed.'),
  })
  const empty = reason.trim() === ''
  const go = (approve: boolean) => {
    setTried(true)
    if (!empty) act.run(approve)
  }
  return (
    <Stack size="m">
      <FormField label="Reason" description="Kept with the decision, under your name." errorText={tried && empty ? 'Say why, in a few words.' : undefined}>
        <Textarea value={reason} rows={4} ariaRequired onChange={(e) => setReason(e.detail.value)} placeholder="What made you decide?" />
      </FormField>
      {act.error && <ErrorState error={act.error} />}
      <div className="decide-buttons">
        <Button variant="primary" loading={act.busy} onClick={() => go(true)} fullWidth>Approve</Button>
        <Button disabled={act.busy} onClick={() => go(false)} fullWidth>Reject</Button>
      </div>
    </Stack>
  )
}
