import { queryOptions } from '@tanstack/react-query'
import { ApiError, api, call, callOpen } from './client'
import type { Me, Permission } from './schema'

/** Who is signed in; null when nobody is. */
async function whoAmI(): Promise<Me | null> {
  try {
    return await callOpen(api.GET('/v1/me'))
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}

export const session = {
  me: () => queryOptions({ queryKey: ['me'], queryFn: whoAmI, staleTime: 60_000 }),
  config: () => queryOptions({ queryKey: ['config'], queryFn: () => callOpen(api.GET('/v1/config')), staleTime: Infinity }),
}

export const signIn = (user: string, password: string) =>
  callOpen(api.POST('/v1/session', { body: { user, password } }))

export const signOut = () => call(api.DELETE('/v1/session'))

export const changePassword = (current: string, next: string) =>
  call(api.PUT('/v1/me/password', { body: { current, new: next } }))

export const may = (me: Me | null | undefined, permission: Permission): boolean =>
  me?.permissions.includes(permission) ?? false
