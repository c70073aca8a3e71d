import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAction } from '../../data/action'
import { useMay } from '../../data/hooks'
import { createUser, identity } from '../../data/identity'
import type { Role, User } from '../../data/schema'
import { Async, Badge, Button, Listing, Stack, Status, Time, type Column } from '../../ui'
import { NewNamed, roleChoices } from './NewNamed'
import { Secret } from './Secret'
import { UserDialog, type UserAct } from './UserDialog'

export function Users() {
  const all = useQuery(identity.users())
  const may = useMay('users:write')
  const [adding, setAdding] = useState(false)
  const [doing, setDoing] = useState<{ act: UserAct; user: User }>()
  const [secret, setSecret] = useState<{ name: string; value: string }>()
  const create = useAction((i: { name: string; roles: Role[] }) => createUser(i.name, i.roles), {
    stale: ['users'], done: (r) => `User ${r.user.login} is there.`, then: (r) => { setAdding(false); if (r.oneTimePassword) setSecret({ name: r.user.login, value: r.oneTimePassword }) },
  })
  const columns: Column<User>[] = [
    { id: 'name', header: 'User', cell: (u) => (u.name && u.name !== u.login ? `${u.login} (${u.name})` : u.login), sort: (u) => u.login },
    { id: 'roles', header: 'Roles', cell: (u) => <Stack direction="horizontal" size="xxs">{u.roles.map((r) => <Badge key={r}>{r}</Badge>)}</Stack> },
    { id: 'state', header: 'State', cell: (u) => (u.disabled ? <Status type="stopped">Disabled</Status> : u.mustChange ? <Status type="pending">Not signed in yet</Status> : <Status type="success">Active</Status>) },
    { id: 'created', header: 'Added', cell: (u) => <Time at={u.created} />, sort: (u) => u.created },
    { id: 'do', header: 'Actions', cell: (u) => <UserActions user={u} may={may} onAct={(act) => setDoing({ act, user: u })} /> },
  ]
  const add = <Button variant="primary" disabled={!may.ok} disabledReason={may.why} onClick={() => setAdding(true)}>Add user</Button>
  return (
    <>
      {secret && <Secret title={`One-time password of ${secret.name}`} value={secret.value} onClose={() => setSecret(undefined)} />}
      <Async query={all}>{({ items }) => <Listing title="Users" items={items} columns={columns} actions={add} trackBy={(u) => u.id} search={(u) => `${u.login} ${u.name}`} empty={{ title: 'No users', text: 'Somebody must be there, or you would not read this.' }} />}</Async>
      {adding && <NewNamed rights="Roles" choices={roleChoices} start={['viewer']} title="Add user" label="Name" hint="Lower-case letters, digits, dots and hyphens." valid={/^[a-z][a-z0-9._-]{1,38}$/} busy={create.busy} error={create.error} onClose={() => setAdding(false)} onSubmit={(name, roles) => create.run({ name, roles })} />}
      {doing && <UserDialog {...doing} onClose={() => setDoing(undefined)} onSecret={setSecret} />}
    </>
  )
}

interface ActionProps { user: User; may: { ok: boolean; why: string | undefined }; onAct: (act: UserAct) => void }

function UserActions({ user: u, may, onAct }: ActionProps) {
  const button = (act: UserAct, text: string, about: string) =>
    <Button key={act} variant="inline-link" disabled={!may.ok} disabledReason={may.why} ariaLabel={about} onClick={() => onAct(act)}>{text}</Button>
  if (u.disabled) return button('enable', 'Enable', `Enable ${u.login}`)
  return (
    <div className="row-actions">
      {button('roles', 'Roles', `Change roles of ${u.login}`)}
      {button('reset', 'Reset password', `Reset password of ${u.login}`)}
      {button('disable', 'Disable', `Disable ${u.login}`)}
    </div>
  )
}
