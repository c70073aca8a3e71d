import { expect, test } from 'vitest'
import { chain, known, nested } from './graph'

test('steps become a chain, also when a step comes twice', () => {
  const g = chain([{ id: 'Judge', title: '' }, { id: 'Judge', title: '' }])
  expect(g.nodes.map((n) => n.id)).toEqual(['0:Judge', '1:Judge'])
  expect(g.edges).toEqual([{ from: '0:Judge', to: '1:Judge' }])
})
test('edges to nodes that were cut off are left out', () =>
  expect(known([{ id: 'a', title: '' }], [{ from: 'a', to: 'b' }, { from: 'a', to: 'a' }])).toEqual([{ from: 'a', to: 'a' }]))
test('steps inside a step follow it', () => {
  const names = nested(['Plan', 'Evaluate', 'Done', 'Evaluate/Score', 'Evaluate/Decide', 'Lost/One'].map((name) => ({ name }))).map((s) => s.name)
  expect(names).toEqual(['Plan', 'Evaluate', 'Evaluate/Score', 'Evaluate/Decide', 'Done', 'Lost/One'])
})
