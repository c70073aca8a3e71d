import { useState } from 'react'
import { useAction } from '../../data/action'
import { changePassword } from '../../data/session'
import { asApiError } from '../../lib/problem'
import { Button, Card, ErrorState, Form, FormField, Header, Input, Stack } from '../../ui'

const least = 10

/** What is wrong with a new password before it is sent. */
export function passwordFault(next: string, again: string): string | undefined {
  if (next.length < least) return `At least ${least} characters; a few words are good.`
  return next === again ? undefined : 'The two are not the same.'
}

/** Changes the own password; after the first sign-in nothing else is possible until then. */
export function ChangePassword({ first = false }: { first?: boolean }) {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const [tried, setTried] = useState(false)
  const change = useAction(() => changePassword(current, next), { stale: ['me'], done: 'Your password is changed.' })
  const fault = passwordFault(next, again)
  const submit = () => {
    setTried(true)
    if (!fault && current) change.run(undefined)
  }
  const card = (
    <form onSubmit={(e) => (e.preventDefault(), submit())}>
      <Form actions={<Button variant="primary" formAction="submit" loading={change.busy}>Change password</Button>}>
        <Card header={<Header variant={first ? 'h1' : 'h2'} description={first ? 'The one you got was for the first sign-in only.' : undefined}>{first ? 'Choose your password' : 'Password'}</Header>}>
          <Stack size="m">
            <FormField label="Current password"><Input type="password" autoComplete="current-password" value={current} onChange={(e) => setCurrent(e.detail.value)} /></FormField>
            <FormField label="New password" description={`At least ${least} characters.`} errorText={tried ? fault : undefined}>
              <Input type="password" autoComplete="new-password" value={next} onChange={(e) => setNext(e.detail.value)} />
            </FormField>
            <FormField label="New password again"><Input type="password" autoComplete="new-password" value={again} onChange={(e) => setAgain(e.detail.value)} /></FormField>
            {change.error && <ErrorState error={asApiError(change.error)} />}
          </Stack>
        </Card>
      </Form>
    </form>
  )
  return first ? <main className="door">{card}</main> : card
}
