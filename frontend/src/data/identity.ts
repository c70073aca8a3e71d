import { queryOptions } from '@tanstack/react-query'
import { api, call } from './client'
import type { Permission, Role } from './schema'

export const identity = {
  users: () => queryOptions({ queryKey: ['users'], queryFn: () => call(api.GET('/v1/users')) }),
  keys: () => queryOptions({ queryKey: ['keys'], queryFn: () => call(api.GET('/v1/keys')) }),
}

export const roles: Role[] = ['viewer', 'data-engineer', 'ml-engineer', 'approver', 'admin']

export const createUser = (login: string, given: Role[]) => call(api.POST('/v1/users', { body: { login, roles: given } }))

export const setRoles = (id: string, given: Role[], reason: string) =>
  call(api.PUT('/v1/users/{id}/roles', { params: { path: { id } }, body: { roles: given, reason } }))

export const disableUser = (id: string, reason: string) =>
  call(api.POST('/v1/users/{id}/disable', { params: { path: { id } }, body: { reason } }))

export const enableUser = (id: string, reason: string) =>
  call(api.POST('/v1/users/{id}/enable', { params: { path: { id } }, body: { reason } }))

/** Gives a one-time password, which is shown this once; sessions of the user end. */
export const resetPassword = (id: string, reason: string) =>
  call(api.POST('/v1/users/{id}/password', { params: { path: { id } }, body: { reason } }))

export const createKey = (name: string, scopes: Permission[]) => call(api.POST('/v1/keys', { body: { name, scopes } }))

export const revokeKey = (id: string) => call(api.DELETE('/v1/keys/{id}', { params: { path: { id } } }))
