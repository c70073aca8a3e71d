import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../data/action'
import { useMay, useMe } from '../../data/hooks'
import { createKey, identity, revokeKey } from '../../data/identity'
import type { Key, Permission } from '../../data/schema'
import { permits } from '../../lib/permissions'
import { Async, Badge, Box, Button, ErrorState, Listing, Modal, Stack, Status, Time, type Column } from '../../ui'
import { NewNamed } from './NewNamed'
import { Secret } from './Secret'

export function Keys() {
  const scopes = useMe().permissions.map((p) => ({ value: p, label: p, description: permits[p] }))
  const all = useQuery(identity.keys())
  const may = useMay('settings:write')
  const [adding, setAdding] = useState(false)
  const [revoking, setRevoking] = useState<Key>()
  const [secret, setSecret] = useState<string>()
  const create = useAction((i: { name: string; scopes: Permission[] }) => createKey(i.name, i.scopes), { stale: ['keys'], then: (r) => { setAdding(false); setSecret(r.token) } })
  const columns: Column<Key>[] = [
    { id: 'name', header: 'Key', cell: (k) => k.name, sort: (k) => k.name },
    { id: 'scopes', header: 'May', cell: (k) => <Stack direction="horizontal" size="xxs">{k.scopes.map((s) => <span key={s} title={permits[s]}><Badge>{s}</Badge></span>)}</Stack> },
    { id: 'where', header: 'Where', cell: (k) => k.environments.join(', ') || 'everywhere' },
    { id: 'state', header: 'State', cell: (k) => (k.revoked ? <Status type="stopped">Revoked</Status> : <Status type="success">Valid</Status>) },
    { id: 'owner', header: 'Made by', cell: (k) => k.owner.name ?? k.owner.id },
    { id: 'expires', header: 'Expires', cell: (k) => (k.expires ? <Time at={k.expires} /> : 'never') },
    { id: 'created', header: 'Made', cell: (k) => <Time at={k.created} />, sort: (k) => k.created },
    { id: 'do', header: 'Actions', cell: (k) => (k.revoked ? '—' : <Button variant="inline-link" disabled={!may.ok} disabledReason={may.why} ariaLabel={`Revoke ${k.name}`} onClick={() => setRevoking(k)}>Revoke</Button>) },
  ]
  const add = <Button variant="primary" disabled={!may.ok} disabledReason={may.why} onClick={() => setAdding(true)}>Make key</Button>
  return (
    <>
      {secret && <Secret title="The new key" value={secret} onClose={() => setSecret(undefined)} />}
      <Async query={all}>{({ items }) => <Listing title="API keys" description="For programs: the gateway, the command line, other systems." items={items} columns={columns} actions={add} trackBy={(k) => k.id} search={(k) => k.name} empty={{ title: 'No keys yet', text: 'A program needs one to ask the model through the gateway.', action: add }} />}</Async>
      {adding && <NewNamed rights="What it may do" about="Give it only what it needs. You see what you may do yourself; “read” only looks, “write” changes." choices={scopes} start={['gateway:invoke']} title="Make key" label="Name" hint="What uses it, such as support-portal." valid={/\S/} busy={create.busy} error={create.error} onClose={() => setAdding(false)} onSubmit={(name, scopes) => create.run({ name, scopes })} />}
      {revoking && <Revoke apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  )
}

function Revoke({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  const act = useAction(() => revokeKey(apiKey.id), { stale: ['keys'], done: `${apiKey.name} is revoked.`, then: onClose })
  return (
    <Modal visible header={`Revoke the key ${apiKey.name}?`} closeAriaLabel="Close" onDismiss={onClose} footer={
      <Box float="right"><Stack direction="horizontal" size="xs"><Button variant="link" onClick={onClose}>Cancel</Button><Button variant="primary" loading={act.busy} onClick={() => act.run(undefined)}>Revoke</Button></Stack></Box>
    }>
      Programs that use it are refused at once. This cannot be undone; make a new key instead.
      {act.error && <ErrorState error={act.error} />}
    </Modal>
  )
}
