import type { Approval, Me } from '../data/schema'

const closed: Record<string, string> = {
  Approved: 'It is approved.', Rejected: 'It is rejected; nothing moved.', Expired: 'Nobody decided in time: ask for the release again.',
  Voided: 'Something changed after the request, so it is void: ask for the release again.',
}

/** Why somebody may not decide an approval; undefined when they may. The server decides again. */
export function whyNotDecide(a: Approval, me: Me, now: number): string | undefined {
  if (a.status !== 'Pending') return closed[a.status]
  if (Date.parse(a.expires) <= now) return closed.Expired
  if (a.requester.id === me.id) return 'You asked for this release. Somebody else decides it.'
  if (a.decisions.some((d) => d.actor.id === me.id)) return 'You have decided already. Another person has to decide as well.'
  if (!me.permissions.includes('approvals:decide')) return 'Deciding needs the role approver.'
  return undefined
}

/** How many more people must say yes. */
export const missing = (a: Approval): number => Math.max(0, a.required - a.decisions.filter((d) => d.approve).length)
