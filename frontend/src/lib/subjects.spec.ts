import { expect, test } from 'vitest'
import { happened, nameOf, shortIds, tail, worthTelling, type Called } from './subjects'

const run = 'run_01m87ns7mw4467j41cn0x3870y'

test.each([
  [{ type: 'modelVersion', id: 'assistant@2' }, undefined, 'assistant version 2'],
  [{ type: 'datasetVersion', id: 'knowledge@3' }, null, 'knowledge version 3'],
  [{ type: 'run', id: run }, { model: 'assistant' }, 'assistant, run x3870y'],
  [{ type: 'run', id: run }, undefined, 'run x3870y'],
  [{ type: 'release', id: 'rel_01m87nweted1kq8fv8vx1vacdf' }, { model: 'assistant', version: 3 }, 'assistant version 3'],
  [{ type: 'approval', id: 'apr_01m87nweted1kq8fv8vzz4gmyv' }, undefined, 'approval z4gmyv'],
  [{ type: 'ingestion', id: 'ing_01m87nv7cdttvrp7h6jbnczk9c' }, { key: 'incoming/k/upload/u/poison.jsonl' }, 'poison.jsonl'],
  [{ type: 'ingestion', id: 'ing_01m87nv7cdttvrp7h6jbnczk9c' }, { dataset: 'knowledge' }, 'knowledge, arrival nczk9c'],
  [{ type: 'environment', id: 'assistant/production' }, undefined, 'production of assistant'],
  [{ type: 'rollback', id: 'rbk_01m87nweted1kq8fv8vx1vacdf_production' }, {}, 'rollback 1vacdf'],
  [{ type: 'shard', id: `sha256:${'ab'.repeat(32)}` }, undefined, 'abababababab'],
  [{ type: 'model', id: 'assistant' }, { alias: 'champion', from: 1, to: 2 }, 'champion of assistant is version 2'],
  [{ type: 'dataset', id: 'knowledge' }, undefined, 'knowledge'],
  [{ type: 'something', id: 'xyz_01m87nweted1kq8fv8vx1vacdf' }, undefined, 'xyz 1vacdf'],
])('%o is called %s', (subject, data, want) => expect(nameOf(subject, data)).toBe(want))

test('models and datasets have their names where these are known', () => {
  const called: Called = (kind, id) => `${kind} ${id.toUpperCase()}`
  expect(nameOf({ type: 'modelVersion', id: 'a@2' }, undefined, called)).toBe('model A version 2')
  expect(nameOf({ type: 'datasetVersion', id: 'k@3' }, undefined, called)).toBe('dataset K version 3')
  expect(nameOf({ type: 'environment', id: 'a/production' }, undefined, called)).toBe('production of model A')
})

test('ids inside a reason are short', () => {
  expect(shortIds(`trained by ${run}; rolled back`)).toBe('trained by run x3870y; rolled back')
})
test('short ids stay as they are', () => expect([tail('run_01jv14'), shortIds('run_01jv14')]).toEqual(['01jv14', 'run_01jv14']))
test('events read as people say it', () => expect([happened('ApprovalApproved'), happened('RunQueued')]).toEqual(['Approved', 'Run queued']))
test('the feed leaves out what another event says too', () => {
  expect(['SignedIn', 'TrafficShifted', 'ReleaseStepShifted'].filter((type) => worthTelling({ type }))).toEqual(['ReleaseStepShifted'])
})
