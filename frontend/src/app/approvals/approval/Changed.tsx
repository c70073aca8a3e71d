import { useQuery } from '@tanstack/react-query'
import { datasets } from '../../../data/datasets'
import { environments } from '../../../data/releases'
import { models } from '../../../data/models'
import type { Approval, GateReport, ModelVersion, Release } from '../../../data/schema'
import { duration } from '../../../lib/format'
import { readiness } from '../../../lib/ready'
import { paths } from '../../../lib/paths'
import { DatasetVersionLink } from '../../names'
import { Card, Digest, Facts, Header, Link, Status } from '../../../ui'

/** What is different, what the decision is bound to, and whether one could go back. */
export function Changed({ approval: a, release, report }: { approval: Approval; release: Release | undefined; report: GateReport | undefined }) {
  const version = useQuery(models.version(a.model, a.version))
  const places = useQuery(environments.list(a.model))
  const ready = readiness(places.data?.items, a.binding.environment, a.version)
  const speed = report?.speed
  return (
    <Card header={<Header variant="h2" description="The decision is bound to these digests: any change voids it.">What changed, and the way back</Header>}>
      <Facts columns={3} items={[
        { label: 'Model version', value: <><Link href={paths.modelVersion(a.model, a.version)}>version {a.version}</Link>{version.data && <Parent v={version.data} />}</> },
        { label: 'New data', value: version.data ? <Learned v={version.data} /> : '—' },
        { label: 'Goes through', value: release ? release.environments.join(' → ') : '—' },
        { label: 'Way back', value: a.status === 'Pending' ? <Status type={ready.ok ? 'success' : 'warning'}>{ready.text}</Status> : <Link href={paths.deployment(a.model)}>see what serves now</Link> },
        { label: 'Slowest 5% of answers', value: speed && speed.latencyP95NewMs > 0 ? `${duration(speed.latencyP95OldMs)} → ${duration(speed.latencyP95NewMs)} or more` : 'not measured' },
        { label: 'Lineage', value: <Link href={paths.lineage(`modelVersion:${a.model}@${a.version}`)}>from data to this version</Link> },
        { label: 'Candidate', value: <Digest value={a.binding.candidate} copy /> },
        { label: 'Report', value: <Digest value={a.binding.report} copy /> },
        { label: 'Policy', value: <Digest value={a.binding.policy} copy /> },
      ]} />
    </Card>
  )
}

function Parent({ v }: { v: ModelVersion }) {
  if (!v.parent) return <> (imported)</>
  return <>, learned on top of <Link href={paths.modelVersion(v.model, v.parent)}>version {v.parent}</Link> with {v.preset}</>
}

function Learned({ v }: { v: ModelVersion }) {
  if (v.datasets.length === 0) return <>none</>
  return <>{v.datasets.map((d) => <div className="line" key={d.digest}><Data dataset={d.dataset} number={d.number} /></div>)}</>
}

function Data({ dataset, number }: { dataset: string; number: number }) {
  const parent = useQuery(datasets.version(dataset, number)).data?.parent
  return <><DatasetVersionLink dataset={dataset} number={number} />{parent ? <>, <Link href={paths.datasetDiff(dataset, parent, number)}>what changed</Link></> : null}</>
}
