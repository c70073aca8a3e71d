import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { releases } from '../../../data/releases'
import { paths } from '../../../lib/paths'
import { Async, Page } from '../../../ui'
import { ReleaseTable } from '../ReleaseTable'

export default function ReleasesPage() {
  const { model } = useSearch({ strict: false }) as { model?: string }
  const all = useQuery(releases.list(model))
  return (
    <Page title="Releases" trail={[['Deployment', paths.deployment()]]} description="Every version that was asked for, and how far it came.">
      <Async query={all} label="Reading releases">{(list) => <ReleaseTable list={list} />}</Async>
    </Page>
  )
}
