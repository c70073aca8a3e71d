/** One message of an event stream. */
export interface Message {
  id: string
  event: string
  data: string
}

/**
 * Reads server-sent events (WHATWG HTML 9.2.6) from chunks of text that may be cut anywhere. Comments keep a
 * connection alive and make no message; push returns the messages that are complete.
 */
export class EventStreamParser {
  private rest = ''
  private id = ''
  private event = ''
  private data: string[] = []

  push(chunk: string): Message[] {
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.line(line))
  }

  private line(line: string): Message[] {
    if (line === '') return this.dispatch()
    if (line.startsWith(':')) return []
    const cut = line.indexOf(':')
    const field = cut < 0 ? line : line.slice(0, cut)
    const value = cut < 0 ? '' : line.slice(cut + 1).replace(/^ /, '')
    this.set(field, value)
    return []
  }

  private set(field: string, value: string) {
    if (field === 'data') this.data.push(value)
    else if (field === 'event') this.event = value
    else if (field === 'id') this.id = value
  }

  private dispatch(): Message[] {
    const { event, data } = this
    this.event = ''
    this.data = []
    if (data.length === 0) return []
    return [{ id: this.id, event: event || 'message', data: data.join('\n') }]
  }
}
