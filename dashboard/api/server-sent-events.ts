/** Takes a stream of server-sent events apart. `EventSource` would, but it cannot send a token. */

export interface ServerEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/**
 * Yields the events of a response's body as they come; comments and everything that is not an event are passed by.
 * `onBytes` is called for whatever comes, a heartbeat too: whoever waits knows by it that the line is alive.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<ServerEvent[]> {
  const decoder = new TextDecoder()
  let rest = ''
  // A reader and not `for await`: Safari's streams cannot be iterated yet.
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes()
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
      rest = blocks.pop() ?? ''
      const events = blocks.map(parseBlock).filter((event) => event !== undefined)
      if (events.length > 0) yield events
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function parseBlock(block: string): ServerEvent | undefined {
  let event = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(\w+):? ?(.*)$/.exec(line) ?? []
    if (field === 'event') event = value ?? ''
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value ?? '')
  }
  return data.length === 0 && event === 'message' ? undefined : { event, data: data.join('\n'), id }
}
