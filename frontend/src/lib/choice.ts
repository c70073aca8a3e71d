const states = { pending: 'loading', error: 'error', success: 'finished' } as const

/** What a choice shows before one is made: while its options are read, when they could not be, and when they are there. */
export const choice = (query: { status: keyof typeof states }, what: string, ask: string) => {
  const reading = `Reading ${what}`
  return { statusType: states[query.status], loadingText: reading, errorText: `The ${what} could not be read`, placeholder: query.status === 'pending' ? reading : ask }
}
