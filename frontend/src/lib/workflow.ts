import type { WorkflowStep } from '../data/schema'

/** A step as people see it. */
export type Seen = Omit<WorkflowStep, 'status'> & { status: string }

/** Nothing failed in a run that was cancelled; why, the page says beside. */
export const calledOff = (items: WorkflowStep[]): Seen[] =>
  items.map((s) => (s.status === 'Failed' ? { ...s, status: 'Cancelled', error: undefined } : s))

const inner = (s: WorkflowStep) => s.name.includes('/')

/**
 * The steps up to the one that failed. Its error was caught, so that it ended like one that went well: what follows only notes
 * the failure ("MarkFailed") and ends the workflow with the reason.
 */
export function toItsFailure(items: WorkflowStep[]): Seen[] {
  const end = items.findIndex((s) => s.name === 'MarkFailed')
  if (end < 0) return items
  const why = items.findLast((s) => s.error && !inner(s))?.error
  const shown = items.filter((s, i) => i < end || inner(s))
  return shown.map((s, i) => (i === end - 1 ? { ...s, status: 'Failed', error: s.error ?? why } : s))
}
