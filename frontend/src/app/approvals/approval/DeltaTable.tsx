import type { Comparison, GateReport } from '../../../data/schema'
import { outcome, outcomeWords, scaleOf, worstFirst } from '../../../lib/compare'
import { percent, points } from '../../../lib/format'
import { Card, Header, Status, Wide } from '../../../ui'
import { Forest } from './Forest'

const looks = { better: 'success', same: 'info', worse: 'error', underpowered: 'warning' } as const

/** Old against new, the worst first, with 95% intervals of the paired difference on one scale. */
export function DeltaTable({ report: r }: { report: GateReport }) {
  const rows = worstFirst(r.capabilities)
  const scale = scaleOf([...rows, r.pooled])
  return (
    <Card header={<Header variant="h2" description="Paired on the same items. The line is the 95% interval of the difference; the dotted line is the largest allowed loss.">Old against new</Header>}>
      <Wide label="Old against new">
        <table className="plain delta" aria-label="Old against new by capability">
          <thead>
            <tr><th scope="col">Capability</th><th scope="col" className="right">Old</th><th scope="col" className="right">New</th><th scope="col" className="right">Difference</th><th scope="col" className="forest-cell">95% interval</th><th scope="col" className="right">Items</th><th scope="col">Means</th></tr>
          </thead>
          <tbody>
            {rows.map((c) => <Row key={c.name} c={c} scale={scale} />)}
            <Row c={{ ...r.pooled, name: 'all together' }} scale={scale} total />
          </tbody>
        </table>
      </Wide>
    </Card>
  )
}

function Row({ c, scale, total = false }: { c: Comparison; scale: number; total?: boolean }) {
  const o = outcome(c)
  return (
    <tr className={total ? 'total' : undefined}>
      <th scope="row">{c.name}</th>
      <td className="right">{percent(c.oldMean)}</td>
      <td className="right">{percent(c.newMean)}</td>
      <td className="right"><strong>{points(c.delta)}</strong></td>
      <td className="forest-cell"><Forest c={c} scale={scale} /></td>
      <td className="right" title={`would have found a loss of ${points(c.mde)} points`}>{c.n}</td>
      <td title={c.reason}><Status type={looks[o]}>{outcomeWords[o]}</Status></td>
    </tr>
  )
}
