import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import { Async, Card, Copy, Empty, Header, Stack, Toggle } from '../../../ui'
import { useLogs } from './useLogs'

/** The log of the training process; follows its end until somebody scrolls up. */
export function Logs({ run, final }: { run: string; final: boolean }) {
  const logs = useLogs(run, final)
  const [follow, setFollow] = useState(true)
  const actions = (
    <Stack direction="horizontal" size="s" alignItems="center">
      <Toggle checked={follow} onChange={(e) => setFollow(e.detail.checked)}>Follow</Toggle>
      <Copy text={(logs.data?.lines ?? []).join('\n')} about="Copy the log" />
    </Stack>
  )
  return (
    <Card header={<Header variant="h2" counter={`(${logs.data?.lines.length ?? 0} lines)`} actions={actions}>Log</Header>}>
      <Async query={logs}>
        {({ lines }) => (lines.length === 0 ? <Empty title="Nothing written yet" /> : <Lines lines={lines} follow={follow} onLeave={() => setFollow(false)} />)}
      </Async>
    </Card>
  )
}

function Lines({ lines, follow, onLeave }: { lines: string[]; follow: boolean; onLeave: () => void }) {
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 20, overscan: 20 })
  useEffect(() => {
    if (follow) rows.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follow, lines.length, rows])
  return (
    <div ref={box} className="log" tabIndex={0} role="log" aria-label="Log of the run" aria-live="off"
      onWheel={(e) => e.deltaY < 0 && onLeave()} onKeyDown={(e) => ['ArrowUp', 'PageUp', 'Home'].includes(e.key) && onLeave()}>
      <div className="log-inner" style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((v) => (
          <div key={v.key} ref={rows.measureElement} data-index={v.index} className={`log-line${/error|traceback/i.test(lines[v.index]!) ? ' log-bad' : ''}`} style={{ transform: `translateY(${v.start}px)` }}>
            <span className="log-number" aria-hidden="true">{v.index + 1}</span>{lines[v.index]}
          </div>
        ))}
      </div>
    </div>
  )
}
