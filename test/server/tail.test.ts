/** `GET /v1/logs/tail`: each entry once, in order, across every reconnect. */
import { expect, test } from 'vitest'
import { metricReaches, NDJSON, running, type Running } from './running.ts'

interface Event {
  readonly event: string
  readonly id: number
  // oxlint-disable-next-line typescript/no-explicit-any -- an entry, as its JSON says
  readonly data: any
}

/** A client of server-sent events. */
class Tail {
  readonly #gone = new AbortController()
  readonly #reader: Promise<ReadableStreamDefaultReader<string>>
  readonly answer: Promise<Response>
  #text = ''

  constructor(url: string, headers: Record<string, string> = {}) {
    this.answer = fetch(url, { headers, signal: this.#gone.signal })
    this.#reader = this.answer.then(({ body }) => {
      if (!body) throw new Error('there is no body')
      return body.pipeThrough(new TextDecoderStream()).getReader()
    })
    this.#reader.catch(() => undefined)
  }

  /** The next event, or undefined at the end. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        const event = parse(block)
        if (event) return event
        continue
      }
      const { done, value } = await (await this.#reader).read()
      if (done) return undefined
      this.#text += value
    }
  }

  /** Resolves when the server follows for it: the beginning is there. */
  async opened(): Promise<void> {
    while (!this.#text.includes('\n\n')) {
      const { done, value } = await (await this.#reader).read()
      if (done) throw new Error('it ended before it began')
      this.#text += value
    }
  }

  close(): void {
    this.#gone.abort()
  }
}

function parse(block: string): Event | undefined {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
  )
  if (fields['event'] === undefined) return undefined
  return { event: fields['event'], id: Number(fields['id']), data: JSON.parse(fields['data'] ?? 'null') }
}

function write(server: Running, from: number, count: number, level = 'info'): Promise<unknown> {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ msg: `entry ${from + index}`, level, n: from + index }),
  )
  return server.call('POST', '/v1/logs?ack=committed', `${lines.join('\n')}\n`, NDJSON)
}

async function take(tail: Tail, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const event = await tail.next()
    if (!event) throw new Error(`it ended after ${ids.length} of ${count}`)
    ids.push(event.id)
  }
  return ids
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('a tail gives what comes from now on', async () => {
  const server = await running()
  await write(server, 1, 5)
  const tail = new Tail(`${server.url}/v1/logs/tail`)
  expect((await tail.answer).headers.get('content-type')).toContain('text/event-stream')
  await write(server, 6, 5)
  expect(await take(tail, 5)).toEqual(range(6, 10))
  await write(server, 11, 1)
  expect(await tail.next()).toMatchObject({
    event: 'entry',
    id: 11,
    data: { id: 11, level: 'info', message: 'entry 11' },
  })
  tail.close()
  await metricReaches(server, 'tidemark_tails 0')
})

test('across reconnects every id comes once, in order, whatever is written meanwhile', async () => {
  const server = await running()
  await write(server, 1, 10)
  const ids: number[] = []
  let last = 0
  for (let round = 0; round < 5; round++) {
    const isFirst = round === 0
    const tail = new Tail(
      `${server.url}/v1/logs/tail${isFirst ? '?after=0' : ''}`,
      isFirst ? {} : { 'last-event-id': String(last) },
    )
    const writing = write(server, 11 + round * 20, 20)
    const taken = await take(tail, 15)
    tail.close()
    ids.push(...taken)
    last = taken.at(-1) ?? last
    await writing
  }
  const rest = new Tail(`${server.url}/v1/logs/tail`, { 'last-event-id': String(last) })
  ids.push(...(await take(rest, 110 - ids.length)))
  rest.close()
  expect(ids).toEqual(range(1, 110))
})

test('Last-Event-ID stands above `after`, as a browser that comes again sends both', async () => {
  const server = await running()
  await write(server, 1, 10)
  const tail = new Tail(`${server.url}/v1/logs/tail?after=2`, { 'last-event-id': '7' })
  expect(await take(tail, 3)).toEqual([8, 9, 10])
  tail.close()
})

test('a tail shows what matches its filter only', async () => {
  const server = await running()
  await write(server, 1, 3)
  await write(server, 4, 2, 'error')
  const tail = new Tail(`${server.url}/v1/logs/tail?after=0&level=error&attr.n=5`)
  expect((await tail.next())?.data).toMatchObject({
    message: 'entry 5',
    level: 'error',
    attributes: { n: 5 },
  })
  tail.close()
})

test('a server that ends tells its tails', async () => {
  const server = await running()
  const tail = new Tail(`${server.url}/v1/logs/tail`)
  await tail.opened()
  const closed = server.server.close()
  let event = await tail.next()
  while (event && event.event !== 'end') event = await tail.next()
  expect(event?.event).toBe('end')
  expect(await tail.next()).toBeUndefined()
  await closed
})

test('law 7 · only so many tails at once', async () => {
  const server = await running({ serve: { limits: { tails: 2 } } })
  const tails = [new Tail(`${server.url}/v1/logs/tail`), new Tail(`${server.url}/v1/logs/tail`)]
  for (const tail of tails) await tail.opened()
  const { status, body } = await server.call('GET', '/v1/logs/tail')
  expect({ status, code: body.code }).toEqual({ status: 429, code: 'TOO_MANY_TAILS' })
  tails[0]?.close()
  await metricReaches(server, 'tidemark_tails 1')
  const again = new Tail(`${server.url}/v1/logs/tail`)
  expect((await again.answer).status).toBe(200)
  for (const tail of [...tails, again]) tail.close()
})

test.each(['x', '-1', '1.5', '99999999999999999'])('Last-Event-ID %s was never ours', async (id) => {
  const server = await running()
  expect((await server.call('GET', '/v1/logs/tail', undefined, { 'last-event-id': id })).status).toBe(400)
})
