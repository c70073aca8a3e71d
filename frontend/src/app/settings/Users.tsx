import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../data/action'
import { useMay } from '../../data/hooks'
import { createUser, disableUser, identity, setRoles } from '../../data/identity'
import type { Role, User } from '../../data/schema'
import { Async, Badge, Button, Listing, ReasonDialog, Stack, Status, Time, type Column } from '../../ui'
import { NewNamed, Picker, roleChoices } from './NewNamed'
import { Secret } from './Secret'

export function Users() {
  const all = useQuery(identity.users())
  const may = useMay('users:write')
  const [adding, setAdding] = useState(false)
  const [editing, setEditing] = useState<User>()
  const [disabling, setDisabling] = useState<User>()
  const [secret, setSecret] = useState<{ name: string; value: string }>()
  const create = useAction((i: { name: string; roles: Role[] }) => createUser(i.name, i.roles), {
    stale: ['users'], done: (r) => `User ${r.user.login} is there.`, then: (r) => { setAdding(false); if (r.oneTimePassword) setSecret({ name: r.user.login, value: r.oneTimePassword }) },
  })
  const columns: Column<User>[] = [
    { id: 'name', header: 'User', cell: (u) => (u.name && u.name !== u.login ? `${u.login} (${u.name})` : u.login), sort: (u) => u.login },
    { id: 'roles', header: 'Roles', cell: (u) => <Stack direction="horizontal" size="xxs">{u.roles.map((r) => <Badge key={r}>{r}</Badge>)}</Stack> },
    { id: 'state', header: 'State', cell: (u) => (u.disabled ? <Status type="stopped">Shut out</Status> : u.mustChange ? <Status type="pending">Has not signed in yet</Status> : <Status type="success">Active</Status>) },
    { id: 'created', header: 'Added', cell: (u) => <Time at={u.created} />, sort: (u) => u.created },
    { id: 'do', header: 'Actions', cell: (u) => <UserActions user={u} may={may} onEdit={setEditing} onDisable={setDisabling} /> },
  ]
  const add = <Button variant="primary" disabled={!may.ok} disabledReason={may.why} onClick={() => setAdding(true)}>Add user</Button>
  return (
    <>
      {secret && <Secret title={`One-time password of ${secret.name}`} value={secret.value} onClose={() => setSecret(undefined)} />}
      <Async query={all}>{({ items }) => <Listing title="Users" items={items} columns={columns} actions={add} trackBy={(u) => u.id} search={(u) => `${u.login} ${u.name}`} empty={{ title: 'No users', text: 'Somebody must be there, or you would not read this.' }} />}</Async>
      {adding && <NewNamed rights="Roles" choices={roleChoices} start={['viewer']} title="Add user" label="Name" hint="Lower-case letters, digits, dots and hyphens." valid={/^[a-z][a-z0-9._-]{1,38}$/} busy={create.busy} error={create.error} onClose={() => setAdding(false)} onSubmit={(name, roles) => create.run({ name, roles })} />}
      {editing && <EditRoles user={editing} onClose={() => setEditing(undefined)} />}
      {disabling && <Disable user={disabling} onClose={() => setDisabling(undefined)} />}
    </>
  )
}

interface ActionProps { user: User; may: { ok: boolean; why: string | undefined }; onEdit: (u: User) => void; onDisable: (u: User) => void }

function UserActions({ user: u, may, onEdit, onDisable }: ActionProps) {
  if (u.disabled) return <>—</>
  return (
    <Stack direction="horizontal" size="s">
      <Button variant="inline-link" disabled={!may.ok} disabledReason={may.why} ariaLabel={`Change roles of ${u.login}`} onClick={() => onEdit(u)}>Change roles</Button>
      <Button variant="inline-link" disabled={!may.ok} disabledReason={may.why} ariaLabel={`Shut out ${u.login}`} onClick={() => onDisable(u)}>Shut out</Button>
    </Stack>
  )
}

function EditRoles({ user, onClose }: { user: User; onClose: () => void }) {
  const [roles, setGiven] = useState(user.roles)
  const act = useAction((reason: string) => setRoles(user.id, roles, reason), { stale: ['users', 'me'], done: `${user.login} has the roles ${roles.join(', ') || 'of nobody'}.`, then: onClose })
  return <ReasonDialog title={`Roles of ${user.login}`} action="Save roles" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><Picker label="Roles" choices={roleChoices} picked={roles} onChange={setGiven} /></ReasonDialog>
}

function Disable({ user, onClose }: { user: User; onClose: () => void }) {
  const act = useAction((reason: string) => disableUser(user.id, reason), { stale: ['users'], done: `${user.login} is shut out.`, then: onClose })
  return <ReasonDialog title={`Shut out ${user.login}?`} action="Shut out" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><p>Sessions and keys end at once. What {user.login} did stays in the audit log.</p></ReasonDialog>
}
