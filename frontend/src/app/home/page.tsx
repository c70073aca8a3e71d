import { useQuery } from '@tanstack/react-query'
import { useMe } from '../../data/hooks'
import { observe } from '../../data/observe'
import { Async, Page, Stack } from '../../ui'
import { Activity } from './Activity'
import { Loop } from './Loop'
import { NeedsMe } from './NeedsMe'
import { NextActions } from './NextActions'
import { QuickActions } from './QuickActions'
import { Serving } from './Serving'

export default function HomePage() {
  const me = useMe()
  const overview = useQuery(observe.overview())
  return (
    <Page title="Home" description={`Signed in as ${me.name}. Every number opens the list that made it.`} actions={<QuickActions />}>
      <Async query={overview} label="Looking at every stage">
        {(o) => (
          <Stack size="l">
            <Loop stages={o.stages} />
            <div className="two-columns">
              <NeedsMe needs={o.needsMe} />
              <NextActions next={o.next} />
            </div>
            <Serving models={o.models} />
            <Activity events={o.recent} />
          </Stack>
        )}
      </Async>
    </Page>
  )
}
