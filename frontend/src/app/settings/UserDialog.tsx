import { useState } from 'react'
import { useAction } from '../../data/action'
import { disableUser, enableUser, resetPassword, setRoles } from '../../data/identity'
import type { User } from '../../data/schema'
import { ReasonDialog } from '../../ui'
import { Picker, roleChoices } from './NewNamed'

export type UserAct = 'roles' | 'reset' | 'disable' | 'enable'

interface Props {
  act: UserAct
  user: User
  onClose: () => void
  onSecret: (secret: { name: string; value: string }) => void
}

/** Asks for the reason of a change of a user, and does it. */
export function UserDialog({ act, ...p }: Props) {
  if (act === 'roles') return <Roles {...p} />
  if (act === 'reset') return <Reset {...p} />
  return act === 'disable' ? <Disable {...p} /> : <Enable {...p} />
}

type Dialog = Omit<Props, 'act'>

function Roles({ user, onClose }: Dialog) {
  const [roles, setGiven] = useState(user.roles)
  const act = useAction((reason: string) => setRoles(user.id, roles, reason), { stale: ['users', 'me'], done: `${user.login} has ${roles.length > 0 ? `the roles ${roles.join(', ')}` : 'no role'}.`, then: onClose })
  return <ReasonDialog title={`Roles of ${user.login}`} action="Save roles" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><Picker label="Roles" choices={roleChoices} picked={roles} onChange={setGiven} /></ReasonDialog>
}

function Reset({ user, onClose, onSecret }: Dialog) {
  const act = useAction((reason: string) => resetPassword(user.id, reason), {
    stale: ['users'], then: (r) => { onSecret({ name: user.login, value: r.oneTimePassword }); onClose() },
  })
  return <ReasonDialog title={`Reset the password of ${user.login}?`} action="Reset password" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><p>You get a one-time password to hand over. {user.login} is signed out everywhere and chooses a new password at the next sign-in.</p></ReasonDialog>
}

function Disable({ user, onClose }: Dialog) {
  const act = useAction((reason: string) => disableUser(user.id, reason), { stale: ['users'], done: `${user.login} is disabled.`, then: onClose })
  return <ReasonDialog title={`Disable ${user.login}?`} action="Disable" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><p>Sessions and keys stop working at once. What {user.login} did stays in the audit log.</p></ReasonDialog>
}

function Enable({ user, onClose }: Dialog) {
  const act = useAction((reason: string) => enableUser(user.id, reason), { stale: ['users'], done: `${user.login} may sign in again.`, then: onClose })
  return <ReasonDialog title={`Enable ${user.login}?`} action="Enable" busy={act.busy} error={act.error} onClose={onClose} onSubmit={act.run}><p>{user.login} may sign in again, with the same roles as before.</p></ReasonDialog>
}
