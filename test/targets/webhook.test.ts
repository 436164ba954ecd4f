/** The webhook target, against servers on real ports, and the signatures against the library of Standard Webhooks. */
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import type { Effect, EffectOutcome, Json } from '../../src/index.ts'
import {
  verifyWebhook,
  webhook,
  type WebhookContent,
  type WebhookOptions,
} from '../../src/targets/webhook/index.ts'
import { effectOf, targetConformance } from '../../src/testing/index.ts'
import { HttpServer, type Answer, type Recorded } from '../support/servers/http.ts'
import { freePort } from '../support/servers/process.ts'
import { silentServer } from '../support/servers/silent.ts'

const secretOf = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`
const secret = secretOf('s')
const deadPort = await freePort()

/** What a receiver must do, in a few lines: verify, and keep the version of each type and key. */
class Receiver {
  readonly values = new Map<string, number>()
  readonly #versions = new Map<string, number>()

  readonly answer = ({ method, headers, body }: Recorded): Answer => {
    if (method === 'HEAD') return { status: 405 }
    const { content } = verifyWebhook(headers, body, secret)
    const { type, key = '', version, data } = content
    const name = JSON.stringify([type, key])
    if (version <= (this.#versions.get(name) ?? 0)) return { status: 204 }
    const { put, remove } = Object(data) as { readonly put?: number; readonly remove?: boolean }
    if (put === undefined && remove !== true) return { status: 422, body: 'neither put nor remove' }
    this.#versions.set(name, version)
    if (put === undefined) this.values.delete(key)
    else this.values.set(key, put)
    return { status: 204 }
  }
}

targetConformance(
  {
    name: 'webhook',
    async fresh() {
      const receiver = new Receiver()
      const server = await HttpServer.start(receiver.answer)
      return {
        target: webhook(`${server.url}/hook`, { secret }),
        put: (value) => ({ put: value }),
        remove: () => ({ remove: true }),
        bad: {},
        held: async (key) => receiver.values.get(key),
        dispose: () => server.close(),
      }
    },
    nowhere: () => webhook(`http://127.0.0.1:${deadPort}`, { secret }),
    async silent() {
      const { port, close } = await silentServer()
      return { target: webhook(`http://127.0.0.1:${port}`, { secret }), dispose: close }
    },
  },
  { describe, test },
)

type OnServer = (
  deliver: (...effects: Effect[]) => Promise<readonly EffectOutcome<unknown>[]>,
  server: HttpServer,
) => Promise<void>

async function onServer(
  answer: Parameters<typeof HttpServer.start>[0],
  options: Partial<WebhookOptions>,
  run: OnServer,
): Promise<void> {
  const server = await HttpServer.start(answer)
  const target = webhook(server.url, { secret, ...options })
  const { signal } = new AbortController()
  try {
    await run(async (...effects) => (await target.deliver(effects, { signal })) ?? [], server)
  } finally {
    await target.close()
    await server.close()
  }
}

describe('webhook · what is sent', () => {
  test('a request that the library of Standard Webhooks accepts, the same at every delivery', async () => {
    await onServer(
      () => ({}),
      { headers: { authorization: 'Bearer geheim' } },
      async (deliver, { requests }) => {
        const effect = { ...effectOf('song/7', 3, { title: 'ü' }), id: 'w.1-é%' }
        await deliver(effect)
        await deliver({ ...effect, attempt: 2 })
        const [first, second] = requests
        expect(first).toMatchObject({
          method: 'POST',
          headers: {
            'webhook-id': 'w%2E1-%C3%A9%25',
            'idempotency-key': 'w%2E1-%C3%A9%25',
            'content-type': 'application/json',
            authorization: 'Bearer geheim',
          },
        })
        expect(second?.body).toBe(first?.body)
        const content = new Webhook(secret).verify(first?.body ?? '', { ...first?.headers })
        expect(content).toEqual({
          type: 'index',
          timestamp: '1970-01-01T00:00:00.000Z',
          key: 'song/7',
          version: 3,
          data: { title: 'ü' },
        })
        const message = verifyWebhook(first?.headers ?? {}, first?.body ?? '', secret)
        expect(message).toMatchObject({ id: effect.id, content })
      },
    )
  })

  test('while a secret is replaced, each message is signed with both', async () => {
    const secrets = [secretOf('n'), secretOf('o')]
    await onServer(
      () => ({}),
      { secret: secrets },
      async (deliver, { requests }) => {
        await deliver(effectOf('a', 1, null))
        const [{ headers, body } = { headers: {}, body: '' }] = requests
        for (const one of secrets) {
          expect(new Webhook(one).verify(body, headers)).toBeDefined()
          expect(verifyWebhook(headers, body, one).content.version).toBe(1)
        }
      },
    )
  })

  test('a batch has no more requests under way than it may', async () => {
    let [now, most] = [0, 0]
    const full = Promise.withResolvers<void>()
    const answer = async (): Promise<Answer> => {
      most = Math.max(most, ++now)
      if (now === 3) full.resolve()
      await full.promise
      now--
      return {}
    }
    await onServer(answer, { concurrency: 3 }, async (deliver, { requests }) => {
      const effects = Array.from({ length: 9 }, (_, index) => effectOf(`${index}`, 1, null))
      expect(await deliver(...effects)).toEqual(effects.map(() => undefined))
      expect([requests.length, most]).toEqual([9, 3])
    })
  })
})

describe('webhook · what is answered', () => {
  const outcomeOf = async (answer: Answer, options: Partial<WebhookOptions> = {}) => {
    let outcome: EffectOutcome<unknown>
    await onServer(
      () => answer,
      options,
      async (deliver) => {
        ;[outcome] = await deliver(effectOf('a', 1, null))
      },
    )
    return outcome
  }

  test.each([200, 201, 202, 204])('%i is delivered', async (status) => {
    expect(await outcomeOf({ status })).toBe(undefined)
  })

  test.each([400, 401, 403, 404, 410, 413, 422])('%i is dead, and tells what was said', async (status) => {
    expect(await outcomeOf({ status, body: 'why\n not' })).toMatchObject({
      kind: 'dead',
      error: { code: 'EFFECT_REFUSED', message: expect.stringContaining(`it answered ${status}: why not`) },
    })
  })

  test.each([301, 302, 303, 307, 308])('%i is refused, and nothing is sent there', async (status) => {
    await onServer(
      () => ({ status, headers: { location: '/elsewhere' } }),
      {},
      async (deliver, { requests }) => {
        expect(await deliver(effectOf('a', 1, null))).toMatchObject([
          { kind: 'dead', error: { message: expect.stringContaining('redirects are not followed') } },
        ])
        expect(requests.map(({ path }) => path)).toEqual(['/'])
      },
    )
  })

  test.each([
    [408, true],
    [409, false],
    [425, false],
    [429, true],
    [500, true],
    [502, true],
    [503, true],
    [501, false],
  ])('%i is tried again; overload: %s', async (status, isOverload) => {
    expect(await outcomeOf({ status })).toMatchObject({
      kind: 'retry',
      isOverload,
      error: { code: 'TARGET_FAILED' },
    })
  })

  test('Retry-After is honoured, in seconds and as a date, as long as it is believed', async () => {
    const after = async (value: string) => {
      const outcome = await outcomeOf({ status: 503, headers: { 'retry-after': value } })
      return outcome?.kind === 'retry' ? outcome.afterMs : 'no retry'
    }
    expect(await after('7')).toBe(7_000)
    expect(await after('99999999')).toBe(3_600_000)
    expect(await after(new Date(0).toUTCString())).toBe(0)
    expect(await after(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000)
    expect(await after('soon')).toBe(undefined)
  })

  test('a JSON body is the result, unless it is too long or none', async () => {
    const resultOf = async (body: unknown, options: Partial<WebhookOptions> = {}, headers = {}) => {
      const outcome = await outcomeOf({ body, headers }, options)
      expect(outcome?.kind ?? 'delivered').toBe('delivered')
      return (outcome as { readonly result?: Json } | undefined)?.result
    }
    const json = { 'content-type': 'application/json; charset=utf-8' }
    expect(await resultOf({ id: 5 })).toEqual({ id: 5 })
    expect(await resultOf('{"id":6}', {}, { 'content-type': 'application/problem+json' })).toEqual({ id: 6 })
    expect(await resultOf('x'.repeat(99), { maxResultBytes: 100 }, json)).toBe(undefined)
    expect(await resultOf(['x'.repeat(96)], { maxResultBytes: 100 })).toEqual(['x'.repeat(96)])
    expect(await resultOf(['x'.repeat(97)], { maxResultBytes: 100 })).toBe(undefined)
    expect(await resultOf('1'.repeat(101), { maxResultBytes: 100 }, json)).toBe(undefined)
    expect(await resultOf('null', {}, json)).toBe(null)
    expect(await resultOf('<html>')).toBe(undefined)
  })

  test('an answer without end is left', async () => {
    const left = Promise.withResolvers<void>()
    await onServer(
      (_, response) => {
        response.once('close', left.resolve)
        response.writeHead(200, { 'content-type': 'application/json' }).write('1'.repeat(101))
        return undefined
      },
      { maxResultBytes: 100 },
      async (deliver) => {
        expect(await deliver(effectOf('a', 1, null))).toEqual([undefined])
        await left.promise
      },
    )
  })

  test('law 8 · what was said to be delivered is, though the rest of the answer never comes', async () => {
    await onServer(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{')
        return undefined
      },
      { timeoutMs: 50 },
      async (deliver) => expect(await deliver(effectOf('a', 1, null))).toEqual([undefined]),
    )
  })

  test('law 8 · no answer in time is tried again, and so is a connection that breaks', async () => {
    const { port, close } = await silentServer()
    const target = webhook(`http://127.0.0.1:${port}/?token=geheim`, { secret, timeoutMs: 20 })
    const outcomes = await target.deliver([effectOf('a', 1, null)], { signal: new AbortController().signal })
    expect(outcomes).toMatchObject([
      { kind: 'retry', isOverload: true, error: { message: expect.stringMatching(/20 ms/) } },
    ])
    expect(target.name).toBe(`webhook http://127.0.0.1:${port}/`)
    await target.close()
    await close()
    await onServer(
      (_, response) => {
        response.destroy()
        return undefined
      },
      {},
      async (deliver) => {
        const [outcome] = await deliver(effectOf('a', 1, null))
        expect(outcome).toMatchObject({ kind: 'retry', isOverload: true, error: { code: 'TARGET_FAILED' } })
      },
    )
  })

  test('a server that only fails is not up', async () => {
    const server = await HttpServer.start(() => ({ status: 503 }))
    const target = webhook(server.url, { secret })
    await expect(target.probe(new AbortController().signal)).rejects.toThrow(/it answered 503/)
    await target.close()
    await server.close()
  })
})

describe('verifyWebhook', () => {
  const body = JSON.stringify({ type: 't', timestamp: '', version: 1, data: null } satisfies WebhookContent)
  const signed = (at = new Date(), by = secret, id = 'msg_1') => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(by).sign(id, at, body),
  })

  test('accepts what the library signs, in any shape of headers and body', () => {
    const headers = signed()
    const id = 'msg_1'
    expect(verifyWebhook(headers, body, secret)).toMatchObject({ id, content: { type: 't' } })
    expect(verifyWebhook(new Headers(headers), Buffer.from(body), [secretOf('x'), secret])).toMatchObject({
      id,
    })
    const upper = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
    )
    expect(verifyWebhook(upper, body, secret)).toMatchObject({ id })
    const several = { ...headers, 'webhook-signature': `v1a,AAAA v1,AAAA ${headers['webhook-signature']}` }
    expect(verifyWebhook(several, body, secret)).toMatchObject({ id })
    expect(verifyWebhook(signed(new Date(), secret, '100%'), body, secret)).toMatchObject({ id: '100%' })
  })

  test.each([
    ['another secret', signed(new Date(), secretOf('x')), body],
    ['another body', signed(), `${body} `],
    ['another id', { ...signed(), 'webhook-id': 'msg_2' }, body],
    ['another time', { ...signed(), 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 9) }, body],
    ['a time that is too long ago', signed(new Date(Date.now() - 310_000)), body],
    ['a time that is yet to come', signed(new Date(Date.now() + 310_000)), body],
    ['no signature', { ...signed(), 'webhook-signature': '' }, body],
    [
      'a signature of another version',
      { ...signed(), 'webhook-signature': signed()['webhook-signature'].replace('v1,', 'v2,') },
      body,
    ],
    [
      'a part of the signature',
      { ...signed(), 'webhook-signature': signed()['webhook-signature'].slice(0, 20) },
      body,
    ],
    ['no time', { ...signed(), 'webhook-timestamp': 'NaN' }, body],
    ['no headers', {}, body],
    ['headers that are lists', { ...signed(), 'webhook-id': ['msg_1'] }, body],
  ])('refuses %s', (_, headers, text) => {
    expect(() => verifyWebhook(headers, text, secret)).toThrow(
      expect.objectContaining({ code: 'INVALID_SIGNATURE' }),
    )
  })

  test('takes a longer tolerance', () => {
    expect(verifyWebhook(signed(new Date(Date.now() - 310_000)), body, secret, 600_000).id).toBe('msg_1')
  })

  test('needs secrets that are some, and never shows them', () => {
    for (const none of ['', 'geheim', 'whsec_Z2VoZWlt', [], [secret, 'geheim']]) {
      expect(() => verifyWebhook(signed(), body, none)).toThrow(
        /^(?!.*(geheim|Z2Vo)).*whsec_.*24 to 64 bytes/,
      )
      expect(() => webhook('https://host', { secret: none })).toThrow(/^(?!.*(geheim|Z2Vo)).*whsec_/)
    }
    expect(() => verifyWebhook(signed(), body, secret, 0)).toThrow(/toleranceMs/)
  })
})

test('all problems of the options are told at once', () => {
  expect(() => webhook('ftp://host', { timeoutMs: 0, headers: { 'Webhook-Id': '1' } } as never)).toThrow(
    /timeoutMs must be a whole number above 0; headers must not hold webhook-id; url must be a URL with http: or https:; secret is missing/,
  )
  expect(() => webhook('https://me:geheim@host', { secret })).toThrow(/^(?!.*geheim).*name or password/)
  expect(() => webhook('https://host', { secret, headers: { a: 'geheim\nb: c' } })).toThrow(
    /^(?!.*geheim).*HTTP allows/,
  )
})
