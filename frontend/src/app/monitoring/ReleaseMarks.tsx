import type { Mark } from '../../lib/marks'
import { Card, Header, Time } from '../../ui'

/** What the numbers above the charts stand for. */
export function ReleaseMarks({ marks }: { marks: Mark[] }) {
  if (marks.length === 0) return null
  return (
    <Card header={<Header variant="h3" description="By the numbers above the charts.">Releases and rollbacks in this time</Header>}>
      <ol className="marks">
        {marks.map((m, i) => <li key={`${m.x} ${m.text}`}><span className="mark-number" aria-hidden="true">{i + 1}</span> {m.text} <span className="soft"><Time at={new Date(m.x * 1000).toISOString()} /></span></li>)}
      </ol>
    </Card>
  )
}
