import { cleanup, fireEvent, screen, waitFor } from '@testing-library/react'
import { HttpResponse, http } from 'msw'
import { afterEach, expect, test } from 'vitest'
import { button, confirm, dialog, hasButton, heading, open, pick, press, see, write } from '../mock/open'
import { server } from '../mock/setup'
import { state } from '../mock/state'

afterEach(cleanup)

test('an approval is rejected with a reason, and not without one', async () => {
  open('/approvals/apr_01jz000014', 'ben')
  await press('Reject')
  await see('Say why, in a few words.')
  expect(state.approvals[0]!.status).toBe('Pending')
  await write(/^Reason/, 'it forgets formats')
  await press('Reject')
  await see('Rejected: version 14 stays where it is.')
  expect(state.approvals[0]).toMatchObject({ status: 'Rejected', decisions: [{ approve: false, reason: 'it forgets formats' }] })
})

test('who asked for a release cannot decide it and reads why', async () => {
  open('/approvals/apr_01jz000014', 'ana')
  await see('You cannot decide this')
  expect(hasButton('Approve')).toBe(false)
})

test('a version is held with a reason, and let in again with another', async () => {
  open('/deployment?model=assistant', 'ana')
  await press('Hold a version')
  await pick('Version', 'version 12')
  await write('Reason', 'insults people')
  await confirm('Hold')
  await see('Version 12 is kept out of production.')
  await press('Release the hold on version 12 in production')
  await write('Reason', 'mended')
  await confirm('Release hold')
  await see('Version 12 may enter production again.')
  expect(state.holds[0]).toMatchObject({ version: 12, released: expect.any(String) })
})

test('a release against the gate is not asked for until break-glass is chosen', async () => {
  state.holds = [] // version 11 is held at first
  open('/models/assistant/versions/11', 'ana')
  await press('Request release')
  await see('The gate said FAIL for version 11')
  await write('Reason', 'a customer insists')
  await confirm('Request release')
  expect(state.releases[0]!.version).not.toBe(11)
  fireEvent.click(screen.getByLabelText(/Two other people must agree/))
  await confirm('Request release')
  await heading('Release of Support assistant version 11')
  expect(state.releases[0]).toMatchObject({ version: 11, breakGlass: true, reason: 'a customer insists' })
})

test('the newest version that the gate lets through is chosen for a release', async () => {
  state.versions = [{ ...state.versions[0]!, number: 16, verdict: 'FAIL', status: 'Rejected' }, ...state.versions]
  open('/deployment?model=assistant', 'ana')
  await press('Request release')
  const box = await dialog()
  await waitFor(() => expect(box.textContent).toContain('version 15'))
  expect(box.textContent).not.toContain('The gate said FAIL')
})

test('a version on hold is not chosen for a release, and its choice says that it is held', async () => {
  state.versions = [{ ...state.versions[0]!, number: 16, verdict: 'PASS', status: 'Candidate' }, ...state.versions]
  state.holds = [{ ...state.holds[0]!, version: 16, released: undefined }]
  open('/deployment?model=assistant', 'ana')
  await press('Request release')
  const box = await dialog()
  await waitFor(() => expect(box.textContent).toContain('version 15'))
  await pick('Version', 'on hold')
  await waitFor(() => expect(box.textContent).toContain('version 16'))
})

test('a step that went on shows its numbers once, one that waits says why', async () => {
  open('/releases/rel_01jz000015', 'ana')
  await see('9 of 20 requests')
  expect(screen.getAllByText(/canned answers 3 of 3/).length).toBeGreaterThan(1)
  expect(screen.queryByText('no sign of harm')).toBeNull()
})

test('when the gate let no version through, no one is chosen and the dialog says so', async () => {
  state.versions = state.versions.map((v) => ({ ...v, verdict: 'FAIL' }))
  open('/deployment?model=assistant', 'ana')
  await press('Request release')
  await see('No version may be released now')
  expect((await dialog()).textContent).toContain('Choose a version')
})

test('a dialog whose environments cannot be read says so', async () => {
  server.use(http.get('*/v1/models/assistant/environments', () => HttpResponse.json({ code: 'Invalid', title: 'Invalid', status: 400, detail: 'the environments cannot be read' }, { status: 400 })))
  state.holds = []
  open('/models/assistant/versions/11', 'ana')
  await press('Request release')
  await see(/the environments cannot be read/i)
})

test('approvals that expired or were voided can be looked for', async () => {
  state.approvals = state.approvals.map((a, i) => ({ ...a, status: i === 0 ? 'Expired' : 'Voided' }))
  open('/approvals?status=Expired', 'ben')
  await see('Support assistant version 14')
  expect(screen.queryByText('Support assistant version 13')).toBeNull()
  await press('Voided')
  await see('Support assistant version 13')
})

test('a rollback needs a reason and tells which version serves', async () => {
  open('/deployment?model=assistant&rollback=production', 'ben')
  await press('Roll back to version 12')
  await see('Say why; one word is enough now.')
  await press('wrong answers')
  await press('Roll back to version 12')
  await see('Version 12 serves production')
  expect(state.rollbacks[0]).toMatchObject({ reason: 'wrong answers', to: { version: 12 } })
})

test('a dead letter is replayed and is gone', async () => {
  open('/settings?tab=dead-letters', 'admin')
  await press('Replay event 1')
  await see('The platform acted on the event.')
  await see('The platform acted on every event.')
})

test('a dead letter that fails again says why and stays', async () => {
  server.use(http.post('*/v1/dead-letters/:seq/replay', () => HttpResponse.json({ code: 'Conflict', title: 'Conflict', status: 409, detail: 'model assistant is locked' }, { status: 409 })))
  open('/settings?tab=dead-letters', 'admin')
  await press('Replay event 1')
  await see(/Model assistant is locked/)
  await button('Replay event 1')
})

test('a dead letter says why in words, and keeps what the program said', async () => {
  const raw = '{"errorMessage":"the dataset is gone","errorType":"NotFound"}'
  state.deadLetters = [{ ...state.deadLetters[0]!, error: raw }]
  open('/settings?tab=dead-letters', 'admin')
  await see('The dataset is gone.')
  await see(raw)
})

test('a file whose checks failed is checked again', async () => {
  state.ingestions = [{ ...state.ingestions[1]!, id: 'ing_failed', status: 'Failed', error: 'the object is gone', datasetVersion: undefined }, ...state.ingestions]
  open('/ingestions/ing_failed', 'ana')
  await see('The object is gone.')
  await press('Check again')
  await see(/rows became version 5 of Support desk/)
})
