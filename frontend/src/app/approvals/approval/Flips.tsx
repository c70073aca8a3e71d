import { useState } from 'react'
import type { Flip, GateReport } from '../../../data/schema'
import { diffWords } from '../../../lib/diff'
import { plural } from '../../../lib/format'
import { Badge, Button, Card, Empty, Header } from '../../../ui'

const first = 3

/** What the new version no longer knows and what it has learned, side by side; never only the net. */
export function Flips({ report: r }: { report: GateReport }) {
  return (
    <div className="two-columns">
      <FlipList title="Forgotten" kind="forgotten" total={r.flips.negative} flips={r.forgotten} none="Everything that the old version answered, the new one answers too." />
      <FlipList title="Gained" kind="gained" total={r.flips.positive} flips={r.gained} none="It answers nothing that the old version did not." />
    </div>
  )
}

function FlipList({ title, kind, total, flips, none }: { title: string; kind: string; total: number; flips: Flip[]; none: string }) {
  const [all, setAll] = useState(false)
  const shown = all ? flips : flips.slice(0, first)
  const must = flips.filter((f) => f.mustPass).length
  return (
    <Card fitHeight header={<Header variant="h2" counter={`(${total})`} info={must > 0 && <Badge color="red">{plural(must, 'must-pass item')}</Badge>}>{title}</Header>}>
      {flips.length === 0 && <Empty title="None">{none}</Empty>}
      <ol className={`flips flips-${kind}`}>{shown.map((f) => <FlipRow key={f.benchmark + f.item} f={f} />)}</ol>
      {flips.length > first && <Button variant="inline-link" onClick={() => setAll(!all)}>{all ? 'Show fewer' : total > flips.length ? `Show ${flips.length} of ${total}` : `Show all ${total}`}</Button>}
      {total > flips.length && all && <p className="soft">and {total - flips.length} more in the whole report</p>}
    </Card>
  )
}

function FlipRow({ f }: { f: Flip }) {
  return (
    <li>
      <div className="flip-head"><span className="flip-prompt">{f.prompt ?? f.item}</span><span className="soft nowrap">{f.capability}{f.mustPass && <> · <strong>must pass</strong></>}</span></div>
      {f.target && <div className="soft">wanted: {f.target}</div>}
      <p className="flip-diff">
        {diffWords(f.oldOutput, f.newOutput).map((p, i) => (p.kind === 'old' ? <del key={i}>{p.text}</del> : p.kind === 'new' ? <ins key={i}>{p.text}</ins> : <span key={i}>{p.text}</span>))}
      </p>
    </li>
  )
}
