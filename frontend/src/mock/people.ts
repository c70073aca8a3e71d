import type { Actor, Me, Permission, Role, User } from '../data/schema'
import { before } from './clock'

const reads: Permission[] = ['data:read', 'runs:read', 'models:read', 'benchmarks:read', 'approvals:read', 'deployments:read', 'monitoring:read', 'settings:read']

const grants: Record<Role, Permission[]> = {
  viewer: [],
  'data-engineer': ['data:write'],
  'ml-engineer': ['runs:write', 'models:write', 'benchmarks:write', 'deployments:write', 'rollback:write', 'gateway:invoke'],
  approver: ['approvals:decide', 'rollback:write', 'audit:read'],
  admin: ['data:write', 'runs:write', 'models:write', 'benchmarks:write', 'approvals:decide', 'deployments:write', 'rollback:write', 'settings:write', 'users:write', 'audit:read', 'gateway:invoke'],
}

const user = (name: string, ...roles: Role[]): User =>
  ({ id: `usr_${name}`, login: name, name, roles, disabled: false, mustChange: false, created: before(60 * 24 * 30), rev: 1 })

export const people: User[] = [
  user('admin', 'admin'), user('ana', 'ml-engineer', 'data-engineer'), user('ben', 'approver'), user('eve', 'approver'),
  user('vic', 'viewer'), { ...user('new', 'viewer'), mustChange: true },
]

export const actor = (name: string): Actor => ({ id: `usr_${name}`, name })
export const system = (part: string): Actor => ({ id: `system:${part}`, name: part })

export function meOf(u: User): Me {
  const permissions = [...new Set([...reads, ...u.roles.flatMap((r) => grants[r])])]
  return { id: u.id, name: u.name, kind: 'user', roles: u.roles, permissions, environments: [], mustChangePassword: u.mustChange }
}
