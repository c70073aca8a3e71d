import type { MetricPoint } from '../data/schema'

export interface Curve {
  name: string
  values: (number | null)[]
  last: number | undefined
}

/** What a phase beside training counts by; it says nothing without the name of the phase, which the log has. */
const counters = new Set(['item', 'items', 'mean', 'n', 'before'])

/** Metrics as columns over the steps, always in one order, which gives each its colour; a metric that was not taken at a step is null there. */
export function columns(points: MetricPoint[]): { steps: number[]; curves: Curve[] } {
  const byStep = new Map<number, Record<string, number>>()
  for (const p of points) byStep.set(p.step, { ...byStep.get(p.step), ...p.values })
  const steps = [...byStep.keys()].sort((a, b) => a - b)
  const names = [...new Set(points.flatMap((p) => Object.keys(p.values)))].filter((name) => !counters.has(name)).sort()
  const curves = names.map((name) => {
    const values = steps.map((s) => byStep.get(s)?.[name] ?? null)
    return { name, values, last: values.findLast((v) => v !== null) ?? undefined }
  })
  return { steps, curves }
}

/** Losses belong in one chart and divergences in another; what is neither is in the table only. */
export function groups(curves: Curve[]): { title: string; curves: Curve[] }[] {
  const loss = curves.filter((c) => /loss/i.test(c.name))
  const kl = curves.filter((c) => /(^|_|\.)kl/i.test(c.name))
  return [{ title: 'Loss', curves: loss }, { title: 'Distance from the previous model (KL)', curves: kl }].filter((g) => g.curves.length > 0)
}

/** What a run that has ended no longer has. */
const passing = new Set(['eta_s'])
export const lasting = (curves: Curve[]): Curve[] => curves.filter((c) => !passing.has(c.name))

const titles: Record<string, string> = {
  loss: 'new data', train_loss: 'new data', old_loss: 'old data', oldLoss: 'old data', kl: 'KL', lr: 'learning rate',
  old_loss_before: 'old data, before training', tok_s: 'tokens a second', eta_s: 'seconds left', rows: 'new rows', old: 'old rows replayed', holdout: 'rows held out', steps: 'steps in all',
}
export const curveTitle = (name: string): string => titles[name] ?? name.replace(/_/g, ' ')

const alone: Record<string, string> = {
  loss: 'loss on new data', train_loss: 'loss on new data', old_loss: 'loss on old data', oldLoss: 'loss on old data', old_loss_before: 'loss on old data, before training', old_loss_after: 'loss on old data, after training',
  kl: 'distance from the previous model (KL)', seconds: 'seconds of training', truncated_rows: 'rows cut to fit', epoch: 'rounds over the data',
}
/** The name of a metric where no chart around it says what it is of. */
export const metricTitle = (name: string): string => alone[name] ?? curveTitle(name)
