import { useMay } from '../../data/hooks'
import { paths } from '../../lib/paths'
import { Button, Stack } from '../../ui'

/** What people most often come for; only what their roles allow. */
export function QuickActions() {
  const data = useMay('data:write')
  const runs = useMay('runs:write')
  const decide = useMay('approvals:decide')
  const back = useMay('rollback:write')
  return (
    <Stack direction="horizontal" size="xs">
      {back.ok && <Button href={paths.deployment()} iconName="undo">Roll back</Button>}
      {decide.ok && <Button href={paths.approvals('Pending')}>Decide approvals</Button>}
      {runs.ok && <Button href={paths.runs()}>Train</Button>}
      {data.ok && <Button href={paths.data()} variant="primary" iconName="upload">Upload data</Button>}
    </Stack>
  )
}
