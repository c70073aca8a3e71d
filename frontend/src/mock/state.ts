import type {
  Approval, Benchmark, BenchmarkItem, Capture, Dataset, DeadLetter, DatasetVersion, Environment, Event, Hold, Ingestion, Key, Model, ModelVersion,
  Release, Rollback, Run, Trigger, User,
} from '../data/schema'
import { before, digestOf, nextId, soon } from './clock'
import { actor, people, system } from './people'
import { report } from './report'

const policy = report.digests.policy
const reportDigest = digestOf('report14')

function version(number: number, over: Partial<ModelVersion>): ModelVersion {
  return {
    model: 'assistant', number, digest: digestOf(`v${number}`), parent: number - 1, origin: 'Trained', run: `run_01jv${number}`, preset: 'safe',
    datasets: [{ dataset: 'support', number: number - 10, digest: digestOf(`support${number - 10}`) }], artifact: `models/assistant/${number}/`,
    metrics: { 'company.accuracy': 0.23, 'general.accuracy': 0.63, trainSeconds: 188 }, status: 'Approved', verdict: 'PASS',
    report: digestOf(`report${number}`), policy, aliases: [], created: before((15 - number) * 1440), rev: 3, ...over,
  }
}

const strategy = { steps: [10, 50, 100], interval: 5, minRequests: 20, maxHold: 30, alpha: 0.01, latencyMax: 1.5 }
const target = (n: number, weight: number) => ({ version: n, digest: digestOf(`v${n}`), endpoint: `assistant-v${n}`, weight })

function environment(name: string, order: number, over: Partial<Environment>): Environment {
  return {
    name, model: 'assistant', order, strategy, targets: [target(13, 100), target(12, 0)], live: digestOf('v13'), previous: digestOf('v12'),
    changed: before(1500), rev: 4, ...over,
  }
}

function ingestion(id: string, over: Partial<Ingestion>): Ingestion {
  return {
    id, dataset: 'support', name: 'support-2026-06.jsonl', object: { key: `incoming/${id}`, version: '1', size: 182_340 }, format: 'jsonl', compression: 'gzip', status: 'Published',
    counts: { rows: 420, accepted: 416, rejected: 0, duplicates: 4, masked: 2, overlaps: 0 }, errors: [], warnings: [], masks: { email: 2 }, attempt: 1, datasetVersion: 3,
    steps: [
      { name: 'Receive', started: before(1600), ended: before(1600) },
      { name: 'Check', started: before(1600), ended: before(1599.9), detail: '420 rows in 0.4 s' },
      { name: 'Publish', started: before(1599.9), ended: before(1599.8), detail: 'version 3' },
    ],
    actor: actor('ana'), created: before(1600), ended: before(1599.8), rev: 5, ...over,
  }
}

const quarantined = ingestion('ing_01jz000001', {
  name: 'support-2026-07.jsonl', status: 'Quarantined', datasetVersion: undefined, rejects: 'rejects/1.jsonl', created: before(18), ended: undefined,
  counts: { rows: 312, accepted: 305, rejected: 4, duplicates: 3, masked: 1, overlaps: 1 },
  errors: [
    { rule: 'json.syntax', title: 'The line is not JSON', hint: 'Write one JSON object a line', count: 2, examples: [
      { line: 17, pointer: '', expected: 'a JSON object', found: '{"messages": [{"role": "user", "conte' },
      { line: 211, pointer: '', expected: 'a JSON object', found: 'messages,answer' }] },
    { rule: 'row.schema', title: 'The row has no known form', hint: 'Send messages, or prompt and completion', count: 1, examples: [
      { line: 88, pointer: '/messages/1/role', expected: 'system, user or assistant', found: '"bot"' }] },
    { rule: 'overlap.benchmark', title: 'Overlaps a benchmark item', hint: 'Leave it out: training on it would spoil the measure', count: 1, examples: [
      { line: 140, pointer: '/messages/0/content', expected: 'no 13-word overlap', found: 'general/gen-031: “Which gas do plants take in for …”' }] },
  ],
  warnings: [{ rule: 'duplicate.exact', title: 'Is there already', hint: 'Nothing to do: it was dropped', count: 3, examples: [{ line: 63, expected: 'a new row', found: 'How do I return a kettle?' }] }],
  steps: [
    { name: 'Receive', started: before(18), ended: before(18), detail: '178 KiB' },
    { name: 'Check', started: before(18), ended: before(17.9), detail: '312 rows in 0.3 s' },
    { name: 'Decide', started: before(17.9) },
  ],
})

const dataset = (id: string, name: string, latest: number, rows: number): Dataset =>
  ({ id, name, description: 'Questions and answers of the support desk', licence: 'own', consent: 'contract', owner: actor('ana'), latest, rows, created: before(40_000), rev: 2 })

const stats = { kinds: { messages: 1 }, chars: 90_000, tokens: 22_000, sizes: [1, 2, 3] }
const datasetVersion = (n: number, rows: number, added: number, over: Partial<DatasetVersion> = {}): DatasetVersion => ({
  dataset: 'support', number: n, digest: digestOf(`support${n}`), parent: n - 1, rows, added, bytes: rows * 430, tokens: rows * 92, stats, status: 'Published', rev: 1, actor: actor('ana'),
  shards: [{ key: `shards/${n}a.jsonl.gz`, sha256: digestOf(`shard${n}`).slice(7), rows: added, bytes: added * 210, ingestion: `ing_0${n}`, stats }], ingestion: `ing_0${n}`, created: before((5 - n) * 1440), ...over,
})

const run = (id: string, over: Partial<Run>): Run => ({
  id, model: 'assistant', trigger: 'Data', actor: system('trigger'), preset: 'safe', seed: 17, parent: 13,
  datasets: [{ dataset: 'support', number: 4, digest: digestOf('support4') }], status: 'Judged', job: `perennial-${id}`, execution: `train-model:${id}`,
  created: before(60), started: before(60), rev: 6, ...over,
})

const runs: Run[] = [
  run('run_01jz000009', { status: 'Training', trigger: 'Manual', actor: actor('ana'), reason: 'try a lower learning rate', parent: 14, created: before(2.4), started: before(2.4) }),
  run('run_01jv14', { candidate: 14, verdict: 'PASS', report: reportDigest, release: 'rel_01jz000014', ended: before(54) }),
  run('run_01jv13', { candidate: 13, verdict: 'PASS', report: digestOf('report13'), release: 'rel_01jz000013', created: before(1600), started: before(1600), ended: before(1594), parent: 12 }),
  run('run_01jx', { status: 'Failed', error: 'the old-data loss rose by 12% (limit 5%): training stopped before it forgot more', trigger: 'Schedule', created: before(3000), started: before(3000), ended: before(2996), parent: 12 }),
]

const analysis = (c: number, e: number) => ({ baseRequests: c * 9, baseErrors: 1, canaryRequests: c, canaryErrors: e, errorE: 0.8 + e, latencyRatio: 1.03, cannedPassed: 3, cannedTotal: 3 })

const releases: Release[] = [
  {
    id: 'rel_01jz000014', model: 'assistant', version: 14, digest: digestOf('v14'), environments: ['development', 'staging', 'production'], requester: actor('ana'),
    reason: 'knows the July support answers', breakGlass: false, report: reportDigest, verdict: 'PASS', approval: 'apr_01jz000014', phase: 'PendingApproval',
    weight: 0, steps: [], created: before(53), rev: 2,
  },
  {
    id: 'rel_01jz000015', model: 'assistant', version: 15, digest: digestOf('v15'), environments: ['staging'], requester: actor('ana'), breakGlass: false, verdict: 'PASS',
    report: reportDigest, phase: 'Progressing', environment: 'staging', weight: 50, created: before(6), rev: 9, reason: 'compare two learning rates',
    steps: [
      { time: before(5.5), environment: 'staging', action: 'Prepared', weight: 0, detail: 'endpoint assistant-v15 in service' },
      { time: before(5.2), environment: 'staging', action: 'Verified', weight: 0, detail: 'the observed digest is the intended one; 3 of 3 canned prompts answered' },
      { time: before(5), environment: 'staging', action: 'Shifted', weight: 10 },
      { time: before(4), environment: 'staging', action: 'Judged', weight: 10, verdict: 'Hold', detail: '9 of 20 requests', analysis: analysis(9, 0) },
      { time: before(3), environment: 'staging', action: 'Judged', weight: 10, verdict: 'Advance', detail: 'no sign of harm', analysis: analysis(31, 0) },
      { time: before(2.9), environment: 'staging', action: 'Shifted', weight: 50 },
      { time: before(1), environment: 'staging', action: 'Judged', weight: 50, verdict: 'Hold', detail: '18 of 20 requests', analysis: analysis(18, 1) },
    ],
  },
  {
    id: 'rel_01jz000013', model: 'assistant', version: 13, digest: digestOf('v13'), environments: ['development', 'staging', 'production'], requester: actor('ana'), breakGlass: false,
    verdict: 'PASS', report: digestOf('report13'), approval: 'apr_01jz000013', phase: 'Succeeded', environment: 'production', weight: 100, created: before(1590), ended: before(1500), rev: 14, reason: 'June answers',
    steps: [{ time: before(1500), environment: 'production', action: 'Finished', weight: 100, detail: 'version 13 answers' }],
  },
]

const approval = (id: string, over: Partial<Approval>): Approval => ({
  id, release: 'rel_01jz000014', model: 'assistant', version: 14, binding: { candidate: digestOf('v14'), report: reportDigest, policy, environment: 'production' },
  requester: actor('ana'), breakGlass: false, required: 1, decisions: [], status: 'Pending', expires: soon(60 * 47), created: before(53), rev: 1, ...over,
})

const approvals: Approval[] = [
  approval('apr_01jz000014', {}),
  approval('apr_01jz000016', { version: 16, release: 'rel_01jz000016', breakGlass: true, required: 2, created: before(20), requester: actor('ana'),
    decisions: [{ actor: actor('eve'), approve: true, reason: 'the outage of the old version costs more', time: before(10) }] }),
  approval('apr_01jz000013', { version: 13, release: 'rel_01jz000013', status: 'Approved', created: before(1590), decided: before(1580),
    decisions: [{ actor: actor('ben'), approve: true, reason: 'gains without losses', time: before(1580) }] }),
]

const rollback: Rollback = {
  id: 'rbk_01jz000001', model: 'assistant', environment: 'production', from: target(11, 0), to: target(10, 100), reason: 'canary: 9 of 40 requests failed', actor: system('rollout'), automatic: true,
  status: 'Done', seconds: 1.4, hold: 'hld_01jz000001', created: before(4300), ended: before(4299.9), rev: 3,
}
const hold: Hold = { id: 'hld_01jz000001', model: 'assistant', environment: 'production', digest: digestOf('v11'), version: 11, reason: 'canary: 9 of 40 requests failed', actor: system('rollout'), created: before(4299), rev: 1 }

const event = (seq: number, minutes: number, type: string, who: Event['actor'], subject: Event['subject'], reason?: string): Event =>
  ({ seq, type, time: before(minutes), actor: who, subject, reason })

const events: Event[] = [
  event(1, 1600, 'DatasetVersionPublished', actor('ana'), { type: 'datasetVersion', id: 'support@3' }),
  event(2, 1580, 'ApprovalDecided', actor('ben'), { type: 'approval', id: 'apr_01jz000013' }, 'gains without losses'),
  event(3, 1500, 'ReleaseSucceeded', system('rollout'), { type: 'release', id: 'rel_01jz000013' }),
  event(4, 60, 'RunStarted', system('trigger'), { type: 'run', id: 'run_01jv14' }),
  event(5, 54, 'ModelVersionRegistered', system('training'), { type: 'modelVersion', id: 'assistant@14' }),
  event(6, 53, 'ReleaseRequested', actor('ana'), { type: 'release', id: 'rel_01jz000014' }, 'knows the July support answers'),
  event(7, 18, 'IngestionQuarantined', system('admission'), { type: 'ingestion', id: 'ing_01jz000001' }),
  event(8, 2.4, 'RunStarted', actor('ana'), { type: 'run', id: 'run_01jz000009' }, 'try a lower learning rate'),
]

const item = (id: string, input: string, goal: string, capability: string, mustPass = false): BenchmarkItem => ({ id, input, target: goal, capability, mustPass })
export const items: BenchmarkItem[] = [
  ...['Which gas do plants take in?|carbon dioxide|knowledge', 'What is 17 + 25?|42|reasoning', 'Answer with one word: the capital of France|Paris|format', 'How long is the warranty of a Fjord kettle?|5 years|company']
    .map((line, i) => { const [q, a, c] = line.split('|'); return item(`item-${String(i + 1).padStart(3, '0')}`, q!, a!, c!, i === 1) }),
]
const benchmark = (name: string, title: string, itemCount: number, capabilities: Record<string, number>): Benchmark => ({
  benchmark: name, title, licence: 'own', lock: digestOf(name), parts: { items: digestOf(`${name}i`), scorer: digestOf('s'), prompt: digestOf('p'), decoding: digestOf('d') }, itemCount, capabilities,
  scorer: { kind: 'contains' }, prompt: { chat: true }, decoding: { maxTokens: 64, temperature: 0 }, harness: 'perennial/1', created: before(30_000),
})

const capture = (n: number, failed: boolean): Capture => ({
  id: nextId('cap'), time: before(n * 3 + 1), digest: digestOf(n % 5 === 0 ? 'v12' : 'v13'), prompt: n % 2 ? 'How do I return a kettle? My card is 4••• •••• •••• 1111' : 'Which port does the Aurora gateway use?',
  answer: failed ? '' : n % 2 ? 'Within 45 days of delivery, at any store.' : 'The Aurora gateway listens on port 8443.', status: failed ? 503 : 200, latencyMs: 400 + ((n * 137) % 500),
})

const model: Model = {
  id: 'assistant', name: 'Support assistant', dataset: 'support', benchmarks: ['company', 'general', 'format'], preset: 'safe',
  canned: [{ prompt: 'What is 2 + 2?', contains: '4|four' }, { prompt: 'Say hello.', contains: 'hello|hi' }], created: before(40_000), rev: 3,
}
const trigger: Trigger = {
  model: 'assistant', enabled: true, minRows: 500, debounce: 60, cooldown: 3600, schedule: 'cron(0 3 ? * MON *)', timezone: 'Europe/Vienna', rev: 2, pendingRows: 305,
  lastArrival: before(18), lastRun: before(60), nextRun: soon(60 * 31),
}
const key: Key = { id: 'key_01jz000001', name: 'support-portal', owner: actor('ana'), scopes: ['gateway:invoke'], environments: ['production'], rev: 1, created: before(20_000), expires: soon(200_000), revoked: false }

export interface State {
  user: User | undefined
  people: User[]
  keys: Key[]
  datasets: Dataset[]
  datasetVersions: DatasetVersion[]
  ingestions: Ingestion[]
  benchmarks: Benchmark[]
  models: Model[]
  versions: ModelVersion[]
  trigger: Trigger
  runs: Run[]
  releases: Release[]
  approvals: Approval[]
  environments: Environment[]
  rollbacks: Rollback[]
  holds: Hold[]
  captures: Capture[]
  events: Event[]
  deadLetters: DeadLetter[]
}

const seed = (): State => ({
  user: undefined, people, keys: [key],
  datasets: [dataset('support', 'Support desk', 4, 1620), dataset('handbook', 'Handbook', 0, 0)],
  datasetVersions: [datasetVersion(4, 1620, 240), datasetVersion(3, 1380, 416), datasetVersion(2, 964, 400, { status: 'Retracted', reason: 'the vendor withdrew consent' }), datasetVersion(1, 564, 564)],
  ingestions: [quarantined, ingestion('ing_04', { name: 'support-2026-06b.csv', format: 'csv', compression: undefined, datasetVersion: 4, created: before(70) }), ingestion('ing_03', {})],
  benchmarks: [benchmark('company', 'Company questions', 52, { company: 52 }), benchmark('general', 'General knowledge and reasoning', 140, { knowledge: 80, reasoning: 60 }), benchmark('format', 'Formats', 48, { format: 48 })],
  models: [model],
  versions: [
    version(15, { status: 'Candidate', created: before(8) }), version(14, { status: 'Candidate', aliases: ['challenger'], report: reportDigest, metrics: { 'company.accuracy': 0.62, 'general.accuracy': 0.626, trainSeconds: 201 }, created: before(54) }),
    version(13, { aliases: ['champion'], created: before(1594) }), version(12, {}), version(11, { status: 'Rejected', verdict: 'FAIL' }), version(10, { origin: 'Imported', run: undefined, parent: 0, verdict: undefined, report: undefined, datasets: [] }),
  ],
  trigger, runs, releases, approvals,
  environments: [
    environment('development', 0, { targets: [target(15, 100), target(14, 0)], live: digestOf('v15'), previous: digestOf('v14'), changed: before(6) }),
    environment('staging', 1, { targets: [target(13, 50), target(15, 50)], release: 'rel_01jz000015', changed: before(3) }),
    environment('production', 2, {}),
  ],
  rollbacks: [rollback], holds: [hold], captures: Array.from({ length: 24 }, (_, i) => capture(i, i % 9 === 4)), events,
  deadLetters: [{ consumer: 'triggers', event: events[0]!, error: 'model assistant is locked by another run', failed: before(12), tries: 5 }],
})

/** The fake platform's memory. */
export const state: State = seed()
export const resetState = (): void => void Object.assign(state, structuredClone(seed()))
resetState()

/** Writes an event, as the one write path does. */
export function record(type: string, subject: Event['subject'], reason?: string): void {
  const seq = (state.events.at(-1)?.seq ?? 0) + 1
  state.events.push({ seq, type, time: new Date().toISOString(), actor: actor(state.user?.name ?? 'ana'), subject, reason })
}
