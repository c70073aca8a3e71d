import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { useHolds } from '../../data/hooks'
import { models } from '../../data/models'
import { environments, requestRelease } from '../../data/releases'
import type { ModelVersion } from '../../data/schema'
import { choice } from '../../lib/choice'
import { paths } from '../../lib/paths'
import { newestReleasable } from '../../lib/releasable'
import { Alert, Checkbox, ErrorState, FormField, Multiselect, ReasonDialog, Select } from '../../ui'

const judged: Record<string, string> = { PASS: 'passed the gate', INCONCLUSIVE: 'got no clear verdict', FAIL: 'failed the gate' }

const option = (v: ModelVersion, held: boolean) => ({ value: String(v.number), label: `version ${v.number}`, description: [judged[v.verdict ?? ''] ?? 'never compared', ...v.aliases].join(', '), tags: [v.status.toLowerCase(), ...(held ? ['on hold'] : [])] })

interface Props {
  model: string
  version?: number
  onClose: () => void
}

/** The newest version that nothing keeps out of some environments, once their holds are known. */
function useNewest(model: string, versions: ModelVersion[], places: string[]) {
  const { reading, holds } = useHolds(model, places)
  const held = new Set(holds.map((h) => h.version))
  return { reading, held, newest: reading ? undefined : newestReleasable(versions.filter((v) => !held.has(v.number))) }
}

/** What is asked for: the version, where to, and whether against the gate. */
function useRequest({ model, version }: Props) {
  const router = useRouter()
  const key = useOnceKey()
  const list = useQuery(models.versions(model))
  const all = useQuery(environments.list(model))
  const versions = list.data?.items ?? []
  const places = (all.data?.items ?? []).map((e) => ({ value: e.name, label: e.name }))
  const [chosen, setChosen] = useState(version)
  const [names, setNames] = useState<string[]>()
  const [breakGlass, setBreakGlass] = useState(false)
  const picked = places.filter((o) => names?.includes(o.value) ?? true)
  const { reading, held, newest } = useNewest(model, versions, picked.map((o) => o.value))
  const one = chosen === undefined ? newest : versions.find((v) => v.number === chosen)
  const failed = one?.verdict === 'FAIL'
  const act = useAction((reason: string) => requestRelease({ model, version: one?.number ?? 0, reason, breakGlass: failed && breakGlass, environments: names && picked.map((o) => o.value) }, key), {
    stale: ['releases', 'approvals', 'environments'], done: 'The release is asked for. Another person decides it.', then: (r) => router.history.push(paths.release(r.id)),
  })
  const ready = !!one && names?.length !== 0 && (!failed || breakGlass)
  const options = versions.map((v) => option(v, held.has(v.number)))
  return { list, all, options, reading, places, one, failed, picked, breakGlass, ready, act, setChosen, setNames, setBreakGlass }
}

/** Asks for a version to be released; another person decides. */
export default function RequestRelease(props: Props) {
  const r = useRequest(props)
  return (
    <ReasonDialog title="Request release" action="Request release" busy={r.act.busy} error={r.act.error} onClose={props.onClose} onSubmit={r.act.run} disabled={!r.ready}>
      <FormField label="Version">
        <Select options={r.options} selectedOption={r.options.find((o) => o.value === String(r.one?.number)) ?? null} {...choice(r.list, 'versions', 'Choose a version')} empty="There is no version yet" onChange={(e) => r.setChosen(Number(e.detail.selectedOption.value))} />
      </FormField>
      <FormField label="Environments" description="In the order of promotion; the same digest moves.">
        <Multiselect options={r.places} {...choice(r.all, 'environments', 'Choose environments')} selectedOptions={r.picked} onChange={(e) => r.setNames(e.detail.selectedOptions.map((o) => o.value ?? ''))} deselectAriaLabel={(o) => `Leave out ${o.label}`} />
      </FormField>
      {r.options.length > 0 && !r.reading && !r.one && <Alert type="info" header="No version may be released now">The gate failed each, or somebody rejected it or holds it. Train another one, or choose one and ask against the gate.</Alert>}
      {[r.list, r.all].map((q, i) => q.error && <ErrorState key={i} error={q.error} />)}
      {r.failed && (
        <Alert type="warning" header={`The gate said FAIL for version ${r.one?.number}`}>
          <Checkbox checked={r.breakGlass} onChange={(e) => r.setBreakGlass(e.detail.checked)}>Break-glass: ask nevertheless. Two other people must agree, each with a reason.</Checkbox>
        </Alert>
      )}
    </ReasonDialog>
  )
}
