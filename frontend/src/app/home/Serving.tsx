import type { ModelSummary } from '../../data/schema'
import { duration, percent, short } from '../../lib/format'
import { paths } from '../../lib/paths'
import { tail } from '../../lib/subjects'
import { Box, Card, Columns, Empty, Header, Link, RunState, Stack, Status, Time } from '../../ui'

type Env = ModelSummary['environments'][number]

/** Every model with what its environments serve now. */
export function Serving({ models }: { models: ModelSummary[] }) {
  if (models.length === 0) {
    return (
      <Card header={<Header variant="h2">Serving</Header>}>
        <Empty title="No models yet" action={<Link href={paths.models()}>Add a model</Link>}>A model names the dataset it learns from and the benchmarks that guard it.</Empty>
      </Card>
    )
  }
  return <Stack size="l">{models.map((m) => <ModelCard key={m.model} model={m} />)}</Stack>
}

function ModelCard({ model: m }: { model: ModelSummary }) {
  const champion = m.champion ? <>champion <Link href={paths.modelVersion(m.model, m.champion)}>version {m.champion}</Link></> : 'no champion yet'
  return (
    <Card
      header={
        <Header variant="h2" description={<>{champion}{m.run && <> · <RunState status={m.run.status} /> <Link href={paths.run(m.run.id)}>run {tail(m.run.id)}</Link></>}</>}>
          <Link href={paths.model(m.model)} fontSize="heading-m">{m.name}</Link>
        </Header>
      }
    >
      <Columns columns={m.environments.length || 1} variant="text-grid" minColumnWidth={200}>
        {m.environments.map((e) => <EnvironmentCell key={e.name} model={m.model} env={e} />)}
      </Columns>
    </Card>
  )
}

function EnvironmentCell({ model, env: e }: { model: string; env: Env }) {
  return (
    <div>
      <Box variant="awsui-key-label">{e.name}</Box>
      <div className="big-line">
        {e.version ? <Link href={paths.modelVersion(model, e.version)} fontSize="heading-l">v{e.version}</Link> : <Box variant="h3" tagOverride="span" color="text-status-inactive">nothing live</Box>}
        {e.release && <Link href={paths.release(e.release)}><Status type="in-progress">release going on</Status></Link>}
      </div>
      <a className="quiet-link" href={paths.monitoring({ model, env: e.name })}>{load(e)}</a>
      <div className="soft">{e.changed ? <>changed <Time at={e.changed} /></> : 'never changed'}</div>
    </div>
  )
}

function load(e: Env): string {
  if (e.requests === 0) return 'no requests in the last hour'
  return `${short(e.requests)} requests · ${percent(e.errors / e.requests)} errors · ${duration(e.latencyMs)} mean`
}
