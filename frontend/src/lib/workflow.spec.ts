import { expect, test } from 'vitest'
import type { WorkflowStep } from '../data/schema'
import { calledOff, toItsFailure } from './workflow'

const step = (name: string, status: WorkflowStep['status'] = 'Succeeded', error?: string): WorkflowStep => ({ name, status, started: '', error })

test('the step that failed says why, and what only notes the failure is left out', () => {
  const steps = [step('PlanTraining'), step('TrainModel'), step('MarkFailed'), step('TrainingFailed', 'Failed', 'Killed, exit code: 137')]
  expect(toItsFailure(steps).map((s) => [s.name, s.status, s.error])).toEqual([['PlanTraining', 'Succeeded', undefined], ['TrainModel', 'Failed', 'Killed, exit code: 137']])
})
test('the steps inside of an evaluation stay, wherever they stand', () => {
  const steps = [step('EvaluateModel'), step('MarkFailed'), step('TrainingFailed', 'Failed', 'no items'), step('EvaluateModel/PlanEvaluation', 'Failed', 'no items')]
  expect(toItsFailure(steps).map((s) => [s.name, s.status])).toEqual([['EvaluateModel', 'Failed'], ['EvaluateModel/PlanEvaluation', 'Failed']])
})
test('a run that went well shows every step', () => expect(toItsFailure([step('PlanTraining'), step('Done')])).toHaveLength(2))
test('nothing failed in a run that was cancelled', () => expect(calledOff([step('TrainModel', 'Failed', 'stopped')])[0]).toMatchObject({ status: 'Cancelled', error: undefined }))
