import type { Permission } from '../data/schema'

/** What each permission allows, for those who give it to a program. */
export const permits: Record<Permission, string> = {
  'data:read': 'See datasets, their versions and samples, and what arrived',
  'data:write': 'Make datasets, upload files, decide what is in quarantine, retract versions',
  'runs:read': 'See training runs with their steps, curves and logs',
  'runs:write': 'Start, cancel and retry training',
  'models:read': 'See models, versions, gate reports and lineage',
  'models:write': 'Add models, import versions, set triggers and aliases',
  'benchmarks:read': 'See benchmarks with their items',
  'benchmarks:write': 'Add benchmarks',
  'approvals:read': 'See what waits for a decision, and what was decided',
  'approvals:decide': 'Approve and reject releases',
  'deployments:read': 'See environments, releases, rollbacks and holds',
  'deployments:write': 'Ask for releases, abort them, set how they go, end holds',
  'rollback:write': 'Roll back, and hold versions',
  'monitoring:read': 'See the overview, the events, the traffic, and what was asked and answered',
  'settings:read': 'See users and keys',
  'settings:write': 'Make and revoke keys, set gate policies, replay dead letters',
  'users:write': 'Add users, give roles, reset passwords',
  'audit:read': 'Read and verify the audit log',
  'gateway:invoke': 'Ask the live models through the gateway',
}
