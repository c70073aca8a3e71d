import { useQuery } from '@tanstack/react-query'
import { useMay } from '../../data/hooks'
import { releases } from '../../data/releases'
import type { Environment, Target } from '../../data/schema'
import { earlier, serving } from '../../lib/traffic'
import { paths } from '../../lib/paths'
import { Badge, Button, Digest, Link, Stack, Time } from '../../ui'
import { StepList } from './StepList'

const colors: Record<string, 'grey' | 'blue' | 'green' | 'red'> = { development: 'grey', staging: 'blue', production: 'green' }

/** One environment: what serves, what is warm, what moves, and the way back. */
export function Lane({ environment: e, onRollback }: { environment: Environment; onRollback: () => void }) {
  const may = useMay('rollback:write')
  const live = serving(e)
  return (
    <section className={`lane lane-${e.name}`} aria-label={e.name} data-testid={`lane-${e.name}`}>
      <header className="lane-head">
        <Badge color={colors[e.name] ?? 'grey'}>{e.name}</Badge>
        <span className="soft">{e.changed ? <>changed <Time at={e.changed} /></> : 'never changed'}</span>
      </header>
      <div className="lane-live">
        {live ? <Link href={paths.modelVersion(e.model, live.version)} fontSize="heading-xl"><span data-testid={`live-${e.name}`}>version {live.version}</span></Link> : <span className="lane-none" data-testid={`live-${e.name}`}>nothing live</span>}
        <Digest value={live?.digest} />
      </div>
      <Traffic targets={e.targets} model={e.model} />
      {e.release && <Moving release={e.release} />}
      <footer className="lane-foot">
        <Button iconName="undo" disabled={!may.ok || !live || !earlier(e)} disabledReason={may.why ?? (live ? 'There is no earlier version here' : 'Nothing is live here')} onClick={onRollback} ariaLabel={`Roll back ${e.name}`}>Roll back</Button>
        <Link href={paths.monitoring({ model: e.model, env: e.name })}>Monitoring</Link>
      </footer>
    </section>
  )
}

function Traffic({ targets, model }: { targets: Target[]; model: string }) {
  if (targets.length === 0) return <p className="soft">No version is loaded here.</p>
  return (
    <table className="plain traffic" aria-label="Share of requests by version">
      <tbody>
        {[...targets].sort((a, b) => b.weight - a.weight).map((t) => (
          <tr key={t.digest}>
            <th scope="row"><Link href={paths.modelVersion(model, t.version)}>v{t.version}</Link></th>
            <td className="traffic-bar"><Bar weight={t.weight} /></td>
            <td className="right num">{t.weight > 0 ? `${t.weight}%` : 'warm'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Bar({ weight }: { weight: number }) {
  return (
    <svg width="100%" height="10" aria-hidden="true" className="bar">
      <rect className="bar-back" width="100%" height="10" rx="5" />
      <rect className="bar-fill" width={`${weight}%`} height="10" rx="5" />
    </svg>
  )
}

function Moving({ release }: { release: string }) {
  const one = useQuery(releases.one(release))
  const r = one.data
  return (
    <div className="moving">
      <Stack size="xxs">
        <strong><Link href={paths.release(release)}>{r ? `Release of version ${r.version}` : 'Release'}</Link></strong>
        {r && <StepList steps={r.steps.filter((s) => s.environment === r.environment).slice(-4)} />}
      </Stack>
    </div>
  )
}
