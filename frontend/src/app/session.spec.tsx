import { cleanup } from '@testing-library/react'
import { HttpResponse, http } from 'msw'
import { afterEach, expect, test } from 'vitest'
import { button, choose, heading, open, press, see, write } from '../mock/open'
import { server } from '../mock/setup'

afterEach(cleanup)

test('who is not signed in comes to the page wanted after signing in', async () => {
  open('/models?x=1')
  await write('User', 'ana')
  await write('Password', 'ana')
  await press('Sign in')
  await heading('Models')
})

test('a wrong password is told without saying which part was wrong', async () => {
  open('/sign-in')
  await write('User', 'ana')
  await write('Password', 'guess')
  await press('Sign in')
  await see('User or password is wrong')
})

test('signing out leads to the sign-in page', async () => {
  open('/', 'ana')
  await press('Account of ana')
  await choose('Sign out')
  await button('Sign in')
})

test('a one-time password opens nothing until another is chosen', async () => {
  open('/data', 'new')
  await see('Choose your password')
  expect(document.querySelector('nav')).toBeNull()
  await write('Current password', 'one-time')
  await write('New password', 'a much better one')
  await write('New password again', 'a much better two')
  await press('Change password')
  await see('The two are not the same.')
  await write('New password again', 'a much better one')
  await press('Change password')
  await heading('Data')
})

test('a platform that cannot be reached is told, and tried again', async () => {
  server.use(http.get('*/v1/benchmarks', () => HttpResponse.error()))
  open('/benchmarks', 'ana')
  await see('The server cannot be reached')
  server.resetHandlers()
  await press('Try again')
  await see('Company questions')
})

test('what a role may not do is there, disabled, with the role that may', async () => {
  open('/data', 'vic')
  await see('You can look, but not upload')
  await see(/role data-engineer/)
})
