import { useState } from 'react'
import { useRouter } from '@tanstack/react-router'
import { useAction } from '../../../data/action'
import { importVersion } from '../../../data/models'
import { paths } from '../../../lib/paths'
import { FormField, Input, ReasonDialog } from '../../../ui'

/** Makes a folder of the object store a version, such as the base model or one that was trained elsewhere. */
export function ImportVersion({ model, onClose }: { model: string; onClose: () => void }) {
  const router = useRouter()
  const [artifact, setArtifact] = useState('')
  const act = useAction((reason: string) => importVersion(model, folder(artifact), reason), {
    stale: ['models', 'overview'], done: (v) => `The folder is version ${v.number} of ${model}.`, then: (v) => router.history.push(paths.modelVersion(model, v.number)),
  })
  return (
    <ReasonDialog title="Import a version" action="Import" disabled={artifact.trim().length < 2} busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}>
      <FormField label="Folder in the object store" description="Below models/, with the weights as safetensors and their manifest.json. Where the platform runs on one machine, also the path of a folder there.">
        <Input value={artifact} placeholder="models/my-model/" autoFocus onChange={(e) => setArtifact(e.detail.value)} />
      </FormField>
    </ReasonDialog>
  )
}

const folder = (text: string): string => `${text.trim().replace(/\/+$/, '')}/`
