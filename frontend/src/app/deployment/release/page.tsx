import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../../../data/action'
import { useMay, useModelName } from '../../../data/hooks'
import { abortRelease, inProgress, releases, reportPage } from '../../../data/releases'
import type { Release } from '../../../data/schema'
import { sentence } from '../../../lib/format'
import { shortIds } from '../../../lib/subjects'
import { paths } from '../../../lib/paths'
import { Alert, Async, Badge, Button, Card, Digest, Facts, Header, Link, Page, Phase, ReasonDialog, Stack, Time, VerdictMark } from '../../../ui'
import { ModelVersionLink } from '../../names'
import { StepList } from '../StepList'

export default function ReleasePage() {
  const { release: id } = useParams({ strict: false }) as { release: string }
  const release = useQuery(releases.one(id))
  const r = release.data
  const name = useModelName(r?.model)
  return (
    <Page title={r ? `Release of ${name} version ${r.version}` : 'Release'} trail={[['Deployment', paths.deployment(r?.model)], ['Releases', paths.releases()]]}
      info={r && <><Phase phase={r.phase} /> {r.breakGlass && <Badge color="red">break-glass</Badge>}</>} actions={r && <Abort release={r} />}>
      <Async query={release} label="Reading the release">
        {(data) => (
          <Stack size="l">
            <Notes release={data} />
            <Card><Facts columns={4} items={facts(data)} /></Card>
            {(inProgress(data) || data.steps.length > 0) && data.environments.map((name) => (
              <Card key={name} header={<Header variant="h2" info={data.environment === name && inProgress(data) ? <Badge color="blue">{data.weight}% of requests</Badge> : undefined}>{name}</Header>}>
                <StepList steps={data.steps.filter((s) => s.environment === name)} analysis none={inProgress(data) ? 'Nothing has happened here yet.' : undefined} />
              </Card>
            ))}
          </Stack>
        )}
      </Async>
    </Page>
  )
}

const refusals: Record<string, string> = {
  'approval rejected': 'Somebody refused it. Nothing moved.', 'approval expired': 'Nobody decided in time, so nothing moved. Ask for the release again.',
  'approval voided': 'Something changed after the request, which made the approval void. Nothing moved; ask for the release again.',
}

function Notes({ release: r }: { release: Release }) {
  if (r.phase === 'PendingApproval') {
    return <Alert type="info" header="Waits for another person’s decision" action={r.approval && <Link href={paths.approval(r.approval)}>Open the approval</Link>}>Nothing moves before that.</Alert>
  }
  if (r.phase === 'Rejected') return <Alert type="warning" header="It was not approved">{refusals[r.error ?? ''] ?? sentence(r.error ?? '')}</Alert>
  if (r.error) return <Alert type={r.phase === 'RolledBack' ? 'warning' : 'error'} header={r.phase === 'RolledBack' ? 'It went back by itself' : 'It did not get there'}>{sentence(r.error)}</Alert>
  return null
}

const facts = (r: Release) => [
  { label: 'Version', value: <ModelVersionLink model={r.model} number={r.version} /> },
  { label: 'Digest', value: <Digest value={r.digest} copy /> },
  { label: 'Asked by', value: <>{r.requester.name ?? r.requester.id}, <Time at={r.created} />{r.reason && <div className="soft">“{shortIds(r.reason)}”</div>}</> },
  { label: 'Gate', value: <><VerdictMark verdict={r.verdict} />{r.report && <div><Link href={reportPage(r.report)} external>report</Link></div>}</> },
  { label: 'Path', value: r.environments.join(' → ') },
  { label: 'Approval', value: r.approval ? <Link href={paths.approval(r.approval)}>{r.phase === 'PendingApproval' ? 'waits' : 'see the approval'}</Link> : 'not needed' },
  { label: 'Ended', value: r.ended ? <Time at={r.ended} /> : 'not yet' },
  { label: 'Lineage', value: <Link href={paths.lineage(`modelVersion:${r.model}@${r.version}`)}>where it comes from</Link> },
]

function Abort({ release: r }: { release: Release }) {
  const may = useMay('deployments:write')
  const [open, setOpen] = useState(false)
  const act = useAction((reason: string) => abortRelease(r.id, reason), { stale: ['releases', 'environments', 'approvals'], done: 'The release is aborted; requests go back to the old version.', then: () => setOpen(false) })
  if (!inProgress(r)) return <Button href={paths.deployment(r.model)}>Open the environments</Button>
  return (
    <>
      <Button disabled={!may.ok} disabledReason={may.why} onClick={() => setOpen(true)}>Abort release</Button>
      {open && (
        <ReasonDialog title="Abort this release?" action="Abort release" leave="Let it go on" busy={act.busy} error={act.error} onClose={() => setOpen(false)} onSubmit={act.run}>
          <p>{r.phase === 'PendingApproval' ? 'Nobody needs to decide any more. No request has moved yet.' : `Requests that moved to version ${r.version} go back to the version before.`}</p>
        </ReasonDialog>
      )}
    </>
  )
}
