import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ingestions } from '../../../data/datasets'
import { useDatasetName } from '../../../data/hooks'
import type { Ingestion } from '../../../data/schema'
import { bytes, count, plural, sentence } from '../../../lib/format'
import { paths } from '../../../lib/paths'
import { Alert, Async, Card, Facts, Header, Link, Page, Phase, Stack, Time } from '../../../ui'
import { Choices } from './Choices'
import { Problems } from './Problems'
import { Timeline } from './Timeline'

export default function IngestionPage() {
  const { ingestion } = useParams({ strict: false }) as { ingestion: string }
  const one = useQuery(ingestions.one(ingestion))
  const name = useDatasetName(one.data?.dataset)
  return (
    <Page title={one.data?.name ?? 'Arrival'} trail={trail(one.data, name)} info={one.data && <Phase phase={one.data.status} />} actions={one.data && <Choices ingestion={one.data} />}>
      <Async query={one} label="Reading the arrival">
        {(i) => (
          <Stack size="l">
            <Verdict ingestion={i} />
            <About ingestion={i} />
            <div className="two-columns">
              <Card fitHeight header={<Header variant="h2">Timeline</Header>}><Timeline steps={i.steps} /></Card>
              <Card fitHeight header={<Header variant="h2">Rows</Header>}><RowCounts rows={i.counts} /></Card>
            </div>
            <Problems ingestion={i} />
          </Stack>
        )}
      </Async>
    </Page>
  )
}

const trail = (i: Ingestion | undefined, name: string): [string, string][] =>
  i ? [['Data', paths.data()], [name, paths.dataset(i.dataset, 'arrivals')]] : [['Data', paths.data()]]

function Verdict({ ingestion: i }: { ingestion: Ingestion }) {
  const name = useDatasetName(i.dataset)
  if (i.status === 'Quarantined' && i.counts.rows === 0) {
    return <Alert type="warning" header="Nothing could be read from this file">See below why. Upload it again in a form that can be read, or discard it.</Alert>
  }
  if (i.status === 'Quarantined') {
    return (
      <Alert type="warning" header={`Nothing is published yet: ${count(i.counts.rejected)} of ${count(i.counts.rows)} rows were rejected`}>
        {i.counts.accepted > 0 && `Publish ${plural(i.counts.accepted, 'good row')} now, or d`}{i.counts.accepted === 0 && 'D'}ownload the rejected ones, fix them and upload them again, or discard the file.
      </Alert>
    )
  }
  if (i.status === 'Failed') return <Alert type="error" header="The file could not be checked">{sentence(i.error ?? '')}</Alert>
  if (i.status === 'Published' && i.datasetVersion) {
    return (
      <Alert type="success" header={`${count(i.counts.accepted)} rows became version ${i.datasetVersion} of ${name}`} action={<Link href={paths.datasetVersion(i.dataset, i.datasetVersion)}>Open version {i.datasetVersion}</Link>}>
        A trigger on a model that learns from {name} may start training by itself.
      </Alert>
    )
  }
  return null
}

function About({ ingestion: i }: { ingestion: Ingestion }) {
  const name = useDatasetName(i.dataset)
  return (
    <Card>
      <Facts columns={4} items={[
        { label: 'Dataset', value: <Link href={paths.dataset(i.dataset)}>{name}</Link> },
        { label: 'Format', value: [i.format?.toUpperCase(), i.compression].filter(Boolean).join(', ') || (i.status === 'Received' || i.status === 'Checking' ? 'not known yet' : 'not recognised') },
        { label: 'Size', value: bytes(i.object.size) },
        { label: 'Arrived', value: <><Time at={i.created} /> from {i.actor.name ?? i.actor.id}{i.resubmits && <>, mends <Link href={paths.ingestion(i.resubmits)}>an earlier file</Link></>}</> },
      ]} />
    </Card>
  )
}

function RowCounts({ rows: r }: { rows: Ingestion['counts'] }) {
  return (
    <Facts columns={3} items={[
      { label: 'Read', value: count(r.rows) }, { label: 'Accepted', value: count(r.accepted) }, { label: 'Rejected', value: count(r.rejected) },
      { label: 'Duplicates', value: count(r.duplicates) }, { label: 'Masked', value: count(r.masked) }, { label: 'Overlap a benchmark', value: count(r.overlaps) },
    ]} />
  )
}
