import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../data/action'
import { useHolds, useMay } from '../../data/hooks'
import { models } from '../../data/models'
import { addHold, releaseHold } from '../../data/releases'
import type { Environment, Hold } from '../../data/schema'
import { choice } from '../../lib/choice'
import { paths } from '../../lib/paths'
import { Button, FormField, Link, Listing, ReasonDialog, Select, Time, type Column } from '../../ui'

/** Versions that are kept out, and how to let them in again. */
export function HoldList({ model, environments }: { model: string; environments: Environment[] }) {
  const may = useMay('deployments:write')
  const mayHold = useMay('rollback:write')
  const [releasing, setReleasing] = useState<Hold>()
  const [adding, setAdding] = useState(false)
  const { holds } = useHolds(model, environments.map((e) => e.name))
  const columns: Column<Hold>[] = [
    { id: 'version', header: 'Version', cell: (h) => <Link href={paths.modelVersion(model, h.version)}>version {h.version}</Link>, sort: (h) => h.version },
    { id: 'environment', header: 'Kept out of', cell: (h) => h.environment, sort: (h) => h.environment },
    { id: 'reason', header: 'Reason', minWidth: 180, cell: (h) => h.reason },
    { id: 'by', header: 'By', cell: (h) => h.actor.name ?? h.actor.id },
    { id: 'created', header: 'Since', cell: (h) => <Time at={h.created} />, sort: (h) => h.created },
    { id: 'do', header: 'Actions', cell: (h) => <Button variant="inline-link" disabled={!may.ok} disabledReason={may.why} ariaLabel={`Release the hold on version ${h.version} in ${h.environment}`} onClick={() => setReleasing(h)}>Release hold</Button> },
  ]
  return (
    <>
      <Listing title="Holds" items={holds} columns={columns} trackBy={(h) => h.id}
        actions={<Button disabled={!mayHold.ok || environments.length === 0} disabledReason={mayHold.why ?? 'There is no environment yet'} onClick={() => setAdding(true)}>Hold a version</Button>}
        empty={{ title: 'No version is held', text: 'A rollback holds the version that it left, so that no trigger brings it back.' }} />
      {releasing && <ReleaseHold model={model} hold={releasing} onClose={() => setReleasing(undefined)} />}
      {adding && <AddHold model={model} environments={environments} onClose={() => setAdding(false)} />}
    </>
  )
}

function ReleaseHold({ model, hold, onClose }: { model: string; hold: Hold; onClose: () => void }) {
  const act = useAction((reason: string) => releaseHold(model, hold.environment, hold.id, reason), { stale: ['environments'], done: `Version ${hold.version} may enter ${hold.environment} again.`, then: onClose })
  return (
    <ReasonDialog title={`Let version ${hold.version} into ${hold.environment} again?`} action="Release hold" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}>
      <p>It was held because of: “{hold.reason}”. Triggers and people may then release it again.</p>
    </ReasonDialog>
  )
}

function AddHold({ model, environments, onClose }: { model: string; environments: Environment[]; onClose: () => void }) {
  const [name, setName] = useState(environments.at(-1)!.name)
  const [version, setVersion] = useState<string>()
  const list = useQuery(models.versions(model))
  const versions = (list.data?.items ?? []).map((v) => ({ value: String(v.number), label: `version ${v.number}`, tags: v.aliases }))
  const environment = environments.find((e) => e.name === name)!
  const act = useAction((reason: string) => addHold(environment, Number(version), reason), { stale: ['environments'], done: `Version ${version} is kept out of ${name}.`, then: onClose })
  const options = environments.map((e) => ({ value: e.name, label: e.name }))
  return (
    <ReasonDialog title="Hold a version" action="Hold" busy={act.busy} error={act.error} disabled={!version} onClose={onClose} onSubmit={act.run}>
      <FormField label="Version"><Select options={versions} selectedOption={versions.find((o) => o.value === version) ?? null} {...choice(list, 'versions', 'Choose a version')} empty="There is no version yet" onChange={(e) => setVersion(e.detail.selectedOption.value)} /></FormField>
      <FormField label="Keep out of"><Select options={options} selectedOption={options.find((o) => o.value === name)!} onChange={(e) => setName(e.detail.selectedOption.value ?? name)} /></FormField>
    </ReasonDialog>
  )
}
