import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMutation } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { session, signIn } from '../../data/session'
import { prefix } from '../../lib/base'
import { asApiError } from '../../lib/problem'
import { Alert, Box, Button, Card, ErrorState, FormField, Header, Input, Stack } from '../../ui'
import { safeNext } from './next'

export default function SignInPage() {
  const { next } = useSearch({ strict: false }) as { next?: string }
  const client = useQueryClient()
  const router = useRouter()
  const config = useQuery(session.config())
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  useEffect(() => void (document.title = 'Sign in · Perennial'), [])
  const enter = useMutation({
    mutationFn: () => signIn(user.trim(), password),
    onSuccess: (me) => {
      client.setQueryData(['me'], me)
      router.history.push(prefix + safeNext(next).slice(1))
    },
  })
  const ready = user.trim() !== '' && password !== ''
  return (
    <main className="door">
      <div className="door-brand"><img src={`${prefix}favicon.svg`} alt="" width="40" height="40" /><span>Perennial</span></div>
      <form onSubmit={(e) => (e.preventDefault(), ready && enter.mutate())}>
        <Card header={<Header variant="h1" description="Your language model, kept current.">Sign in</Header>}>
          <Stack size="m">
            <FormField label="User"><Input value={user} name="user" autoComplete="username" autoFocus onChange={(e) => setUser(e.detail.value)} /></FormField>
            <FormField label="Password"><Input value={password} name="password" type="password" autoComplete="current-password" onChange={(e) => setPassword(e.detail.value)} /></FormField>
            {enter.error && <Refused error={enter.error} />}
            <Button variant="primary" formAction="submit" fullWidth loading={enter.isPending} disabled={!ready}>Sign in</Button>
          </Stack>
        </Card>
      </form>
      {config.data?.mode === 'local' && (
        <Box variant="small" color="text-body-secondary" textAlign="center" padding={{ top: 'm' }}>
          First start? The one-time password of admin is in the terminal that runs <code>perennial up</code>.
        </Box>
      )}
    </main>
  )
}

function Refused({ error }: { error: unknown }) {
  const { status, problem } = asApiError(error)
  if (status === 401) return <Alert type="error" header="User or password is wrong">Check both; passwords know upper and lower case.</Alert>
  if (status === 429) return <Alert type="warning" header="Too many tries">{problem.hint ?? 'Wait a minute and try again.'}</Alert>
  return <ErrorState error={error} />
}
