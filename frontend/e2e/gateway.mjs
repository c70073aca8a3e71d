// Requests to the gateway while a release is judged: a canary without traffic proves nothing.

/** Makes a key for the gateway with the session of the page. */
export const makeKey = (page) => page.evaluate(async () => {
  const answer = await fetch(new URL('v1/keys', document.baseURI), {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'perennial' },
    body: JSON.stringify({ name: 'journey', scopes: ['gateway:invoke'] }),
  })
  if (!answer.ok) throw new Error(`no key: ${answer.status} ${await answer.text()}`)
  return (await answer.json()).token
})

/** Asks every environment in turn until stop is called, which gives the number of answers. */
export function traffic(base, key) {
  let going = true
  let answers = 0
  const ask = async (environment) => {
    const answer = await fetch(`${base}gateway/${environment}/v1/chat/completions`, {
      method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], max_tokens: 4 }),
    }).catch(() => undefined) // an endpoint that is being replaced may refuse; the platform judges that, not we
    if (answer?.ok) answers++
    await answer?.arrayBuffer()
  }
  const loop = async (environment) => {
    while (going) await ask(environment)
  }
  const all = Promise.all(['development', 'staging', 'production'].map(loop))
  return { stop: async () => (going = false, await all, answers) }
}
