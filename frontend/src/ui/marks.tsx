import Status, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'

type Kind = StatusIndicatorProps.Type
type Look = [kind: Kind, text: string]

const verdicts: Record<string, Look> = {
  PASS: ['success', 'Pass'], INCONCLUSIVE: ['warning', 'Inconclusive'], FAIL: ['error', 'Fail'],
}
const healths: Record<string, Look> = {
  ok: ['success', 'Healthy'], active: ['in-progress', 'Working'], attention: ['warning', 'Attention'],
  failing: ['error', 'Failing'], idle: ['stopped', 'Idle'],
}
const runs: Record<string, Look> = {
  Queued: ['pending', 'Queued'], Training: ['in-progress', 'Training'], Evaluating: ['in-progress', 'Evaluating'],
  Judged: ['success', 'Judged'], Failed: ['error', 'Failed'], Cancelled: ['stopped', 'Cancelled'],
}
const phases: Record<string, Look> = {
  PendingApproval: ['pending', 'Waiting for approval'], Progressing: ['in-progress', 'Progressing'],
  Succeeded: ['success', 'Released'], Failed: ['error', 'Failed'], RolledBack: ['warning', 'Rolled back'],
  Rejected: ['stopped', 'Rejected'], Pending: ['pending', 'Waiting for a decision'], Approved: ['success', 'Approved'],
  Expired: ['stopped', 'Expired'], Voided: ['stopped', 'Voided by a change'], Candidate: ['pending', 'Candidate'],
  Received: ['pending', 'Received'], Checking: ['in-progress', 'Checking'], Quarantined: ['warning', 'In quarantine'],
  Published: ['success', 'Published'], Discarded: ['stopped', 'Discarded'], Running: ['in-progress', 'Running'],
  Waiting: ['pending', 'Waiting for a person'], Done: ['success', 'Done'], Shifting: ['in-progress', 'Shifting traffic'],
  Verifying: ['in-progress', 'Verifying'],
}

function mark(table: Record<string, Look>, of: string | undefined) {
  if (!of) return <>—</>
  const [kind, text] = table[of] ?? ['info', of]
  return <Status type={kind} wrapText={false}>{text}</Status>
}

/** Colour, sign and word for a gate verdict. */
export const VerdictMark = ({ verdict }: { verdict: string | undefined }) => mark(verdicts, verdict)
export const Health = ({ health }: { health: string }) => mark(healths, health)
/** The word for a state of a run. */
export const runWords = (status: string): string => runs[status]?.[1] ?? status
export const RunState = ({ status }: { status: string }) => mark(runs, status)
/** For releases, approvals, versions, ingestions and rollbacks. */
export const Phase = ({ phase }: { phase: string | undefined }) => mark(phases, phase)
const steps: Record<string, Look> = { ...phases, Succeeded: ['success', 'Done'], Pending: ['stopped', 'Not yet'], Cancelled: runs.Cancelled! }
/** For the steps of a workflow and of an ingestion. */
export const StepState = ({ status }: { status: string }) => mark(steps, status)
