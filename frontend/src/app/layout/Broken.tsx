import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { paths } from '../../lib/paths'
import { Box, Card, Empty, ErrorState, Link, Page } from '../../ui'

/** A screen that could not be shown. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
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
