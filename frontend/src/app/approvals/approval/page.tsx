import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useModelName } from '../../../data/hooks'
import { approvals, releases } from '../../../data/releases'
import type { Approval, GateReport, Release } from '../../../data/schema'
import { paths } from '../../../lib/paths'
import { Alert, Async, Badge, Page, Phase, Stack } from '../../../ui'
import { Changed } from './Changed'
import { DecisionBox } from './DecisionBox'
import { DeltaTable } from './DeltaTable'
import { Flips } from './Flips'
import { Rules } from './Rules'
import { VerdictBar } from './VerdictBar'

/** Everything that one needs to decide in a minute, on one page. */
export default function ApprovalPage() {
  const { approval: id } = useParams({ strict: false }) as { approval: string }
  const approval = useQuery(approvals.one(id))
  const a = approval.data
  const what = `${useModelName(a?.model)} version ${a?.version}`
  const title = a ? (a.status === 'Pending' ? `Release ${what}?` : `Approval of ${what}`) : 'Approval'
  return (
    <Page title={title} trail={[['Deployment', paths.deployment()], ['Approvals', paths.approvals()]]}
      info={a && <><Phase phase={a.status} /> {a.breakGlass && <Badge color="red">break-glass</Badge>}</>}>
      <Async query={approval} label="Reading the request">{(data) => <Body approval={data} />}</Async>
    </Page>
  )
}

function Body({ approval: a }: { approval: Approval }) {
  const report = useQuery({ ...approvals.report(a.binding.report), enabled: a.binding.report !== '' })
  const release = useQuery(releases.one(a.release))
  return (
    <div className="decide">
      <div className="decide-evidence">
        <Stack size="l">
          {a.binding.report === '' ? <NoReport release={release.data} /> : (
            <Async query={report} label="Reading the gate report">
              {(r) => <Evidence report={r} approval={a} reason={release.data?.reason} />}
            </Async>
          )}
          <Changed approval={a} release={release.data} report={report.data} />
        </Stack>
      </div>
      <aside className="decide-box" aria-label="Decision">
        <DecisionBox approval={a} />
      </aside>
    </div>
  )
}

function Evidence({ report, approval, reason }: { report: GateReport; approval: Approval; reason: string | undefined }) {
  return (
    <Stack size="l">
      <VerdictBar report={report} approval={approval} reason={reason} />
      <DeltaTable report={report} />
      <Flips report={report} />
      <Rules report={report} />
    </Stack>
  )
}

/** An imported version was never compared: there is no evidence to show, and the page says so. */
function NoReport({ release }: { release: Release | undefined }) {
  return (
    <Alert type="warning" header="There is no gate report for this version">
      It was not compared with another version, so nothing here shows that it keeps what is known. That is usual for the first, imported version.
      {release?.reason && <> The reason given: “{release.reason}”</>}
    </Alert>
  )
}
