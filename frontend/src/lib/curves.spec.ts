import { expect, test } from 'vitest'
import { columns, curveTitle, groups, metricTitle } from './curves'

const at = (step: number, values: Record<string, number>) => ({ step, time: '', values })

test('metrics of one step come together, whatever their order', () => {
  const { steps, curves } = columns([at(2, { loss: 1 }), at(1, { loss: 2 }), at(2, { old_loss: 3 })])
  expect(steps).toEqual([1, 2])
  expect(curves).toEqual([{ name: 'loss', values: [2, 1], last: 1 }, { name: 'old_loss', values: [null, 3], last: 3 }])
})
test('metrics have one order, however they come', () => expect(columns([at(1, { old_loss: 1, kl: 1, loss: 2 })]).curves.map((c) => c.name)).toEqual(['kl', 'loss', 'old_loss']))
test('counters of other phases are left to the log', () => expect(columns([at(1, { item: 4, items: 9, mean: 1, n: 9, before: 1, loss: 2 })]).curves.map((c) => c.name)).toEqual(['loss']))
test('losses and divergences have a chart each', () => {
  const { curves } = columns([at(1, { loss: 1, old_loss: 1, kl: 1, lr: 1 })])
  expect(groups(curves).map((g) => g.curves.map((c) => c.name))).toEqual([['loss', 'old_loss'], ['kl']])
})
test('names are words', () => expect([curveTitle('old_loss'), curveTitle('grad_norm')]).toEqual(['old data', 'grad norm']))
test('a metric that stands alone says what it is of', () => expect([metricTitle('loss'), metricTitle('grad_norm')]).toEqual(['loss on new data', 'grad norm']))
test('a run without metrics has no curves', () => expect(columns([])).toEqual({ steps: [], curves: [] }))
