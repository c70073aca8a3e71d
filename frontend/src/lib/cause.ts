const fields = ['errorMessage', 'FailureReason', 'Cause', 'cause', 'detail', 'message']

/** What a program's answer says in words, if it does. */
const wordsOf = (answer: Record<string, unknown> | null): string | undefined =>
  fields.map((f) => answer?.[f]).find((said): said is string => typeof said === 'string' && said !== '')

function ofJson(text: string): string | undefined {
  const start = text.indexOf('{')
  if (start < 0) return undefined
  try {
    const said = wordsOf(JSON.parse(text.slice(start)) as Record<string, unknown> | null)
    return said && text.slice(0, start) + said
  } catch {
    return undefined
  }
}

const technical: [RegExp, string][] = [
  [/^decode ([A-Z]+)#(\S+) [A-Z#\d]+: .*/s, 'what the platform keeps about the $1 $2 cannot be read'],
  [/operation error ([^:]+): (\w+), (?:https? response error |exceeded maximum number of attempts, \d+, )*(?:StatusCode: \d+, )?(?:RequestID: [^,]+, )?(?:HostID: [^,]+, )?(?:api error )?/g, '$1 refused $2: '],
]

/** The cause of a failure as people read it: without the form in which a program gave it. */
export function cause(text: string): string {
  const said = ofJson(text)
  if (said !== undefined) return cause(said)
  return technical.reduce((t, [form, plain]) => t.replace(form, plain), text).replace(/about the ([A-Z]+)\b/, (all) => all.toLowerCase())
}
