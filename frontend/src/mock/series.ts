import type { MetricPoint, Run, TrafficPoint, WorkflowStep } from '../data/schema'
import { before, digestOf, started } from './clock'

const noise = (i: number) => Math.sin(i * 12.9898) * 0.5 + Math.sin(i * 4.1) * 0.5

export function metrics(run: Run): MetricPoint[] {
  const n = run.status === 'Queued' ? 0 : run.status === 'Training' ? Math.min(120, Math.floor((Date.now() - started) / 1500) + 40) : 120
  return Array.from({ length: n }, (_, i) => ({
    step: i + 1, time: before(3 - i / 60),
    values: {
      loss: 0.4 + 2.1 * Math.exp(-i / 28) + noise(i) * 0.06, kl: 0.02 + 0.05 * (1 - Math.exp(-i / 40)) + Math.abs(noise(i)) * 0.004,
      lr: 2e-4 * (1 - i / 130), ...(i % 10 === 9 ? { old_loss: 1.92 + 0.0004 * i + noise(i) * 0.01 } : {}),
    },
  }))
}

const names = ['PlanTraining', 'CheckPlan', 'Train', 'RegisterVersion', 'Evaluate', 'Judge', 'RequestRelease']

export function steps(run: Run): WorkflowStep[] {
  const at = { Queued: 0, Training: 2, Evaluating: 4, Judged: 7, Failed: 2, Cancelled: 2 }[run.status]
  return names.map((name, i) => ({
    name, status: i < at ? 'Succeeded' : i > at ? 'Pending' : run.status === 'Failed' || run.status === 'Cancelled' ? 'Failed' : 'Running',
    started: i <= at ? before(2.4 - i * 0.1) : undefined, ended: i < at ? before(2.3 - i * 0.1) : undefined,
    detail: name === 'Train' ? 'LoRA r=16, replay 30%, KL 0.1' : undefined, error: i === at && run.error ? run.error : undefined,
  }))
}

export const logLines = (run: Run): string[] => [
  '{"level":"info","event":"plan","rows":240,"replay":103,"steps":120}',
  ...metrics(run).map((p) => `step ${String(p.step).padStart(4)}  loss ${p.values.loss!.toFixed(4)}  kl ${p.values.kl!.toFixed(4)}  lr ${p.values.lr!.toExponential(2)}`),
  ...(run.error ? [`error: ${run.error}`] : []),
]

export function traffic(minutes: number, split: boolean): TrafficPoint[] {
  const out: TrafficPoint[] = []
  for (let m = minutes; m > 0; m--) {
    const base = Math.round(40 + 18 * Math.sin(m / 14) + noise(m) * 6)
    const shares: [string, number][] = split && m < 6 ? [['v13', 0.5], ['v15', 0.5]] : m > 45 ? [['v12', 1]] : [['v13', 1]]
    for (const [v, share] of shares) {
      const requests = Math.round(base * share)
      const errors = m % 17 === 3 ? 2 : m % 11 === 0 ? 1 : 0
      out.push({ time: before(m), digest: digestOf(v), requests, errors, tokens: requests * 130, latencyMs: (requests - errors) * Math.round(540 + noise(m) * 60) })
    }
  }
  return out
}
