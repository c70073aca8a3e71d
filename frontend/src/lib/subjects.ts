import { digest, words } from './format'

interface Subject {
  type: string
  id: string
  label?: string
}
type Facts = Record<string, unknown>
/** The name of a model or a dataset by its id. */
export type Called = (kind: 'model' | 'dataset', id: string) => string

const kinds: Record<string, string> = { run: 'run', rel: 'release', apr: 'approval', ing: 'arrival', rbk: 'rollback', hld: 'hold', usr: 'user', key: 'key', upl: 'upload', exe: 'execution' }

/** The end of an id, by which people tell things of one kind apart: "run_01m87ns7mw4467j41cn0x3870y" is "x3870y". */
export const tail = (id: string): string => id.replace(/^[a-z]+_/, '').split('_')[0]!.slice(-6)

const named = (id: string): string => `${kinds[id.slice(0, 3)] ?? id.slice(0, 3)} ${tail(id)}`

/** A sentence whose ids are short enough to read. */
export const shortIds = (text: string): string => text.replace(/\b[a-z]{3}_[0-9a-z]{20,}(_[a-z]+)?\b/g, named)

const facts = (data: unknown): Facts => (typeof data === 'object' && data !== null ? (data as Facts) : {})
const numbered = (kind: 'model' | 'dataset') => (s: Subject, _d: Facts, called: Called) => s.id.replace(/^(.*)@(\d+)$/, (_all, id: string, n: string) => `${called(kind, id)} version ${n}`)
const versionOf = (s: Subject, d: Facts, called: Called) => (d.model && d.version ? `${called('model', String(d.model))} version ${d.version}` : named(s.id))
const inEnvironment = (s: Subject, _d: Facts, called: Called) => {
  const [model, environment] = s.id.split('/')
  return environment ? `${environment} of ${called('model', model!)}` : s.id
}

const names: Record<string, (s: Subject, d: Facts, called: Called) => string> = {
  datasetversion: numbered('dataset'),
  modelversion: numbered('model'),
  dataset: (s, _d, called) => called('dataset', s.id),
  run: (s, d, called) => (d.model ? `${called('model', String(d.model))}, ${named(s.id)}` : named(s.id)),
  model: (s, d, called) => (d.alias && d.to ? `${d.alias} of ${called('model', s.id)} is version ${d.to}` : called('model', s.id)),
  trigger: (s, _d, called) => called('model', s.id),
  release: versionOf,
  deployment: versionOf,
  approval: versionOf,
  ingestion: (s, d, called) => String(d.name ?? d.key ?? '').split('/').at(-1) || (d.dataset ? `${called('dataset', String(d.dataset))}, ${named(s.id)}` : named(s.id)),
  environment: inEnvironment,
  rollback: (s, d, called) => (d.model && d.environment ? `${d.environment} of ${called('model', String(d.model))}` : named(s.id)),
  user: (s, d) => String(d.login ?? '') || named(s.id),
  key: (s, d) => String(d.name ?? '') || named(s.id),
  hold: (s) => named(s.id),
  evaluation: (s) => `model ${digest(s.id)}`,
  shard: (s) => digest(s.id),
  object: (s) => s.id.split('/').at(-1)!,
}

/** What people call the subject of an event or a node of the lineage; data is what the event says of it. */
export function nameOf(subject: Subject, data?: unknown, called: Called = (_kind, id) => id): string {
  const name = names[subject.type.toLowerCase()]
  return subject.label ?? (name ? name(subject, facts(data), called) : shortIds(subject.id))
}

/** The kind of a node of the lineage in words. */
export const kindOf = (type: string): string => ({ ingestion: 'Arrival', object: 'File' })[type] ?? words(type)

const phrases: Record<string, string> = {
  ApprovalApproved: 'Approved', ApprovalRejected: 'Rejected', ApprovalPending: 'First of two approvals', ApprovalAwaited: 'Waits for a decision',
  ApprovalExpired: 'Approval expired', ApprovalVoided: 'Approval voided', ReleaseStepPrepared: 'Started, without requests yet', ReleaseStepVerified: 'Verified',
  ReleaseStepShifted: 'Requests moved', ReleaseStepJudged: 'Canary judged', ReleaseStepFinished: 'Release finished a step', ReleaseStepReverted: 'Release went back',
  EnvironmentTaken: 'Release entered', EnvironmentReleased: 'Release left', RunConcluded: 'Run ended', ModelEvaluated: 'Model evaluated',
}

const quiet = new Set(['SignedIn', 'SignedOut', 'TrafficShifted', 'EnvironmentTaken', 'EnvironmentReleased', 'ReleaseStepJudged', 'ApprovalAwaited', 'IngestionStarted', 'IngestionChecking', 'IngestionChecked', 'RunConcluded'])

/** What people want to read of the feed: no sign-ins, and nothing that another event says too. */
export const worthTelling = (event: { type: string }): boolean => !quiet.has(event.type)

/** The type of an event in words. */
export const happened = (type: string): string => phrases[type] ?? words(type)
