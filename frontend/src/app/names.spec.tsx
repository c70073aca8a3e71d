import { cleanup, fireEvent, screen } from '@testing-library/react'
import { HttpResponse, http } from 'msw'
import { afterEach, expect, test } from 'vitest'
import { button, heading, open, press, see } from '../mock/open'
import { server } from '../mock/setup'
import { state } from '../mock/state'

afterEach(cleanup)

test('a run is called by its model’s name, and its id can be copied', async () => {
  open('/runs/run_01jv14', 'ana')
  await heading('Training of Support assistant')
  await see(/^Support desk version/)
  await button('Copy the id of the run')
  expect(screen.queryByText('run_01jv14')).toBeNull()
})

test('a model names what it learns from and what guards it', async () => {
  open('/models/assistant', 'ana')
  await see('Support desk')
  await see('Company questions')
})

test('an approval and an arrival are called by names', async () => {
  open('/approvals/apr_01jz000014', 'ben')
  await heading('Release Support assistant version 14?')
  cleanup()
  open('/data', 'ana')
  await screen.findByText('support-2026-06b.csv')
  expect(screen.queryByText('support')).toBeNull()
})

test('a version says what its files are, and where they are can be copied', async () => {
  open('/models/assistant/versions/14', 'ana')
  await button('Copy where the files are')
  expect(screen.queryByText(state.versions[1]!.artifact)).toBeNull()
})

test('the audit counts what it shows and says when there is more', async () => {
  const entry = (seq: number) => ({ seq, id: `aud_${seq}`, time: state.events[0]!.time, actor: { id: 'usr_ana', name: 'ana' }, action: 'RunStarted', subject: { type: 'run', id: 'run_01jv14' }, event: 'e', hash: 'a'.repeat(64) })
  server.use(http.get('*/v1/audit', ({ request }) => HttpResponse.json(new URL(request.url).searchParams.has('cursor') ? { items: [entry(1)] } : { items: [entry(3), entry(2)], nextCursor: 'older' })))
  open('/settings?tab=audit', 'admin')
  await see('(2+)')
  await press('Show earlier entries')
  await see('(3)')
})

test('who makes a key reads what each right allows', async () => {
  open('/settings?tab=keys', 'admin')
  await press('Make key')
  await see(/Give it only what it needs/)
  fireEvent.click(screen.getByLabelText(/What it may do/))
  await see('Ask the live models through the gateway')
})
