import { expect, test } from 'vitest'
import { newestReleasable } from './releasable'

const version = (number: number, verdict?: 'PASS' | 'INCONCLUSIVE' | 'FAIL', status: 'Candidate' | 'Approved' | 'Rejected' = 'Candidate') => ({ number, verdict, status })

test('the newest version whose verdict allows a release, whatever the order', () =>
  expect(newestReleasable([version(1), version(4, 'FAIL'), version(2, 'PASS'), version(3, 'INCONCLUSIVE')])?.number).toBe(3))
test('not one that somebody rejected', () =>
  expect(newestReleasable([version(3, 'PASS', 'Rejected'), version(2, 'PASS')])?.number).toBe(2))
test('none when the gate failed all of them', () => expect(newestReleasable([version(2, 'FAIL')])).toBeUndefined())
