import { describe, expect, test } from 'vitest'
import type { Approval, Me } from '../data/schema'
import { meOf, people } from '../mock/people'
import { state } from '../mock/state'
import { missing, whyNotDecide } from './decide'

const me = (name: string): Me => meOf(people.find((p) => p.name === name)!)
const now = Date.now()
const pending = (): Approval => state.approvals.find((a) => a.id === 'apr_01jz000014')!
const broken = (): Approval => state.approvals.find((a) => a.breakGlass)!

describe('whyNotDecide', () => {
  test('another person with the role may decide', () => expect(whyNotDecide(pending(), me('ben'), now)).toBeUndefined())
  test('the requester may not, whatever the roles', () => {
    const all = { ...me('ana'), permissions: me('admin').permissions }
    expect(whyNotDecide(pending(), all, now)).toMatch(/You asked/)
  })
  test('nobody decides twice', () => expect(whyNotDecide(broken(), me('eve'), now)).toMatch(/already/))
  test('a viewer may not', () => expect(whyNotDecide(pending(), me('vic'), now)).toMatch(/approver/))
  test('nobody decides after the time is over', () =>
    expect(whyNotDecide(pending(), me('ben'), Date.parse(pending().expires))).toMatch(/in time/))
  test.each(['Approved', 'Rejected', 'Expired', 'Voided'] as const)('%s is closed', (status) =>
    expect(whyNotDecide({ ...pending(), status }, me('ben'), now)).toBeTruthy())
})

test('break-glass with one yes of two needs one more', () => expect(missing(broken())).toBe(1))
