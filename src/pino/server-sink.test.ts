import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { scriptedServer, type Scripted } from '../../test/clients/scripted-server.ts'
import { PINO_DEFAULTS } from './options.ts'
import { ServerSink } from './server-sink.ts'

/** No request is ever given up here; and while one is under way, which its timer tells, time stands still. */
const requestTimeoutMs = 1e9
const taken: Scripted = { status: 201 }

async function sinkTo(answers: readonly Scripted[], more: object = {}) {
  const runtime = new FakeRuntime()
  runtime.chance = 0
  const complaints: string[] = []
  const server = await scriptedServer(answers)
  const settings = { ...PINO_DEFAULTS, requestTimeoutMs, url: server.url, token: 'secret', ...more }
  const sink = new ServerSink(settings, runtime, (text) => complaints.push(text))
  /** Moves the time on until something is through that waits for timers and for the server in turn. */
  const through = async <Result>(result: Promise<Result>): Promise<Result> => {
    const state = { isOver: false }
    const over = result.finally(() => (state.isOver = true))
    while (!state.isOver) await runtime.advance(runtime.timersMs.some((ms) => ms > 1e8) ? 0 : 10)
    return await over
  }
  return {
    ...server,
    sink,
    runtime,
    complaints,
    through,
    bodies: () => server.received.map(({ body }) => body),
  }
}

test('lines linger for company, and go out together, with the token', async () => {
  const { sink, runtime, received, bodies, through } = await sinkTo([taken])
  await sink.write(['{"n":1}'])
  await runtime.advance(99)
  await sink.write(['{"n":2}'])
  expect(received).toEqual([])
  await through(sink.flush())
  expect(bodies()).toEqual(['{"n":1}\n{"n":2}\n'])
  expect(received[0]?.headers).toMatchObject({
    authorization: 'Bearer secret',
    'content-type': 'application/x-ndjson',
  })
  expect(received[0]?.path).toBe('/v1/logs?ack=committed')
})

test('what the server had taken is not sent again, and the rest waits as long as it says', async () => {
  const { sink, runtime, received, bodies, through } = await sinkTo([
    { status: 429, headers: { 'retry-after': '3' }, body: { lines: 2, retryAfterMs: 2_500 } },
    { status: 503, headers: { 'retry-after': '7' } },
    taken,
  ])
  const waits: number[] = []
  const after = runtime.after.bind(runtime)
  runtime.after = (ms, task) => {
    waits.push(ms)
    return after(ms, task)
  }
  await sink.write(['{"n":1}', '{"n":2}', '{"n":3}'])
  await through(sink.flush())
  expect(bodies()).toEqual(['{"n":1}\n{"n":2}\n{"n":3}\n', '{"n":3}\n', '{"n":3}\n'])
  expect(waits).toEqual(expect.arrayContaining([2_500, 7_000]))
  expect(received).toHaveLength(3)
})

test('without a word of the server each try waits twice as long as the one before, up to ten seconds', async () => {
  const { sink, runtime, complaints, through } = await sinkTo([
    ...Array.from({ length: 9 }, (): Scripted => ({ status: 500 })),
    taken,
  ])
  const waits: number[] = []
  const after = runtime.after.bind(runtime)
  runtime.after = (ms, task) => {
    if (ms !== requestTimeoutMs) waits.push(ms)
    return after(ms, task)
  }
  await sink.write(['{}'])
  await through(sink.flush())
  expect(waits.filter((ms) => ms !== PINO_DEFAULTS.lingerMs).slice(0, 8)).toEqual([
    200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000,
  ])
  // Once a trouble, not once a try.
  expect(complaints).toHaveLength(1)
})

test('a lost answer is no answer: the lines are sent again', async () => {
  const { sink, bodies, through, complaints } = await sinkTo([{ status: 0, isLost: true }, taken])
  await sink.write(['{"n":1}'])
  await through(sink.flush())
  expect(bodies()).toEqual(['{"n":1}\n', '{"n":1}\n'])
  expect(complaints[0]).toMatch(/does not take log lines: (UND_ERR_SOCKET|ECONNRESET|other side closed)/)
})

test('a full buffer holds whoever writes back, until the server has taken enough', async () => {
  const { sink, runtime, through } = await sinkTo(
    [{ status: 503, headers: { 'retry-after': '60' } }, taken],
    {
      maxLines: 3,
    },
  )
  let hasRoom = false
  const written = sink.write(['1', '2', '3', '4']).then(() => (hasRoom = true))
  await runtime.advance(30_000)
  expect(hasRoom).toBe(false)
  await through(written)
  expect(hasRoom).toBe(true)
})

test('a thousand lines are enough to go out at once, and no request has more', async () => {
  const { sink, bodies, through } = await sinkTo([taken])
  const lines = Array.from({ length: 2_300 }, (_, n) => String(n))
  await sink.write(lines)
  await through(sink.flush())
  expect(bodies().map((body) => body.split('\n').length - 1)).toEqual([1_000, 1_000, 300])
  expect(bodies().join('').trimEnd().split('\n')).toEqual(lines)
})

test('closing gives back, in order, what the server has not taken when the time is over', async () => {
  const { sink, through } = await sinkTo([
    { status: 429, body: { lines: 1 } },
    { status: 503, headers: { 'retry-after': '60' } },
  ])
  await sink.write(['1', '2', '3'])
  expect(await through(sink.close())).toEqual(['2', '3'])
})
