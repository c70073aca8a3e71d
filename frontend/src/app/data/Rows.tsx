import { turns } from '../../lib/rows'
import { Empty } from '../../ui'

/** Rows of a dataset as people read them: who says what. */
export function Rows({ rows }: { rows: Record<string, unknown>[] }) {
  if (rows.length === 0) return <Empty title="No rows to show" />
  return (
    <ol className="samples">
      {rows.map((row, i) => (
        <li key={i}>
          {turns(row).map((t, j) => <p key={j} className={`turn turn-${t.role}`}><span className="turn-role">{t.role}</span>{t.text}</p>)}
        </li>
      ))}
    </ol>
  )
}
