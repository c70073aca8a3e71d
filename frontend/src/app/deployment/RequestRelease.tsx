import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction, useOnceKey } from '../../data/action'
import { models } from '../../data/models'
import { environments, requestRelease } from '../../data/releases'
import type { ModelVersion } from '../../data/schema'
import { paths } from '../../lib/paths'
import { Alert, Checkbox, FormField, Multiselect, ReasonDialog, Select } from '../../ui'

const option = (v: ModelVersion) => ({ value: String(v.number), label: `version ${v.number}`, description: [v.verdict, ...v.aliases].filter(Boolean).join(', '), tags: [v.status] })

/** Asks for a version to be released; another person decides. */
export function RequestRelease({ model, version, onClose }: { model: string; version?: number; onClose: () => void }) {
  const router = useRouter()
  const key = useOnceKey()
  const versions = useQuery(models.versions(model))
  const places = useQuery(environments.list(model))
  const [chosen, setChosen] = useState(version)
  const [names, setNames] = useState<string[]>()
  const [breakGlass, setBreakGlass] = useState(false)
  const all = (places.data?.items ?? []).map((e) => ({ value: e.name, label: e.name }))
  const list = versions.data?.items ?? []
  const one = list.find((v) => v.number === chosen) ?? list[0]
  const picked = names ?? all.map((e) => e.value)
  const failed = one?.verdict === 'FAIL'
  const ask = useAction((reason: string) => requestRelease({ model, version: one?.number ?? 0, reason, breakGlass: failed && breakGlass, environments: names && picked }, key), {
    stale: ['releases', 'approvals', 'environments'], done: 'The release is asked for. Another person decides it.', then: (r) => router.history.push(paths.release(r.id)),
  })
  return (
    <ReasonDialog title="Request release" action="Request release" busy={ask.busy} error={ask.error} onClose={onClose} onSubmit={ask.run} disabled={!one || picked.length === 0 || (failed && !breakGlass)}>
      <FormField label="Version">
        <Select options={list.map(option)} selectedOption={one ? option(one) : null} empty="There is no version yet" onChange={(e) => setChosen(Number(e.detail.selectedOption.value))} />
      </FormField>
      <FormField label="Environments" description="In the order of promotion; the same digest moves.">
        <Multiselect options={all} selectedOptions={all.filter((o) => picked.includes(o.value))} onChange={(e) => setNames(e.detail.selectedOptions.map((o) => o.value ?? ''))} deselectAriaLabel={(o) => `Leave out ${o.label}`} />
      </FormField>
      {failed && (
        <Alert type="warning" header={`The gate said FAIL for version ${one.number}`}>
          <Checkbox checked={breakGlass} onChange={(e) => setBreakGlass(e.detail.checked)}>Break-glass: ask nevertheless. Two other people must agree, each with a reason.</Checkbox>
        </Alert>
      )}
    </ReasonDialog>
  )
}
