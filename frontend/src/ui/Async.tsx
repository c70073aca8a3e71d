import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Stack from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { asApiError, explain } from '../lib/problem'

/** Says what is wrong and what to do: no permission, not there, offline or failed. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { kind, title, detail, retry } = explain(error)
  const { requestId } = asApiError(error).problem
  return (
    <Alert
      type={kind === 'forbidden' || kind === 'stale' ? 'warning' : 'error'}
      header={title}
      action={onRetry && (retry || kind === 'failed' || kind === 'stale') ? <Button onClick={onRetry}>Try again</Button> : undefined}
    >
      {detail}
      {requestId && <Box variant="small" color="text-body-secondary" display="block">Request {requestId}</Box>}
    </Alert>
  )
}

/** An empty place: why it is empty and what to do first. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Box textAlign="center" padding={{ vertical: 'l' }} color="inherit">
      <Stack size="xs">
        <Box variant="strong">{title}</Box>
        {children && <Box color="text-body-secondary">{children}</Box>}
        {action}
      </Stack>
    </Box>
  )
}

interface Props<T> {
  query: UseQueryResult<T>
  children: (data: T) => ReactNode
  label?: string
}

/** Shows a query: waiting, failed, or its data. Data stay visible while they are fetched again. */
export function Async<T>({ query, children, label = 'Loading' }: Props<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  return (
    <div className="waiting" role="status">
      <Spinner /> <span>{label}…</span>
    </div>
  )
}
