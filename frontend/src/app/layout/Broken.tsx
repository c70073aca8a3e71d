import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useFreshness } from '../../data/feed'
import { paths } from '../../lib/paths'
import { Box, Card, Empty, ErrorState, Link, Page } from '../../ui'

/** Code or styles that did not arrive are not asked for again by the same document. */
const lacksCode = (error: unknown): boolean => /preload|imported module|module script/i.test(String(error))

/** A screen that could not be shown; it is tried again when the platform comes back. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    if (lacksCode(error)) return window.location.reload()
    reset()
    void router.invalidate()
  }
  const fresh = useFreshness()
  const before = useRef(fresh)
  useEffect(() => {
    if (fresh === 'live' && before.current !== 'live') retry()
    before.current = fresh
  })
  return <Box padding="l"><ErrorState error={error} onRetry={retry} /></Box>
}

/** An address that leads nowhere. */
export function Missing() {
  return (
    <Page title="There is no such page">
      <Card><Empty title="This address leads nowhere" action={<Link href={paths.home()}>Go to Home</Link>}>It may be old, or mistyped.</Empty></Card>
    </Page>
  )
}
