/** Targets that are not there, or say when they want to be asked again: real names, sockets and answers. */
import { lookup } from 'node:dns/promises'
import { expect, test } from 'vitest'
import { open, type Effect, type EffectHandler } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { deliveries } from '../../src/testing/deliveries.ts'
import { databaseFile } from '../support/database-file.ts'
import { collect } from '../support/events.ts'
import { HttpServer } from '../support/servers/http.ts'

const kind = 'embed'
const quick = { batch: 1, concurrency: 1, retryFirstMs: 1, retryMaxMs: 2 }
const openOnFile = () => open(sqlite(databaseFile('CREATE TABLE chunks (id INTEGER PRIMARY KEY)')))
/** Nobody has it: https://www.rfc-editor.org/rfc/rfc6761#section-6.4. Without a network its lookup fails otherwise. */
const nowhere = 'name.invalid'

test.for<[string, () => Promise<unknown>]>([
  ['fetch', () => fetch(`http://${nowhere}/`)],
  ['a lookup', () => lookup(nowhere)],
])(
  'law 8 · while the name of its target is not found by %s, effects wait unharmed',
  async ([, findNobody]) => {
    const db = await openOnFile()
    const alerts = collect(db, 'alert')
    const { got, handler } = deliveries()
    let missed = 0
    // As often as it is not found it would be dead, if that counted.
    await db.effects.handle(
      kind,
      async (effects) => {
        if (missed-- > 0) await findNobody()
        await handler(effects)
      },
      { ...quick, maxAttempts: 4 },
    )
    db.enqueue({ kind, key: 'a' })
    await got(1)
    missed = 5
    const { bookmark } = db.enqueue({ kind, key: 'b' })
    await db.effects.reached(kind, bookmark)
    const [, effect] = await got(2)
    // Two refusals of a target that was there are no outage yet.
    expect(effect?.attempt).toBe(3)
    expect(alerts).toMatchObject([{ kind: 'targetDown' }])
    await db.close()
  },
)

test('law 8 · an effect whose own host is not there is given up alone, and holds no other up', async () => {
  const server = await HttpServer.start(() => ({}))
  const db = await openOnFile()
  const handler: EffectHandler<unknown> = async ([effect]) => {
    await fetch(effect?.payload as string)
  }
  await db.effects.handle(kind, handler, { ...quick, maxAttempts: 4 })
  db.enqueue({ kind, key: 'bad', payload: `http://${nowhere}/` })
  let dead: readonly unknown[] = []
  while (dead.length === 0) {
    const { bookmark } = db.enqueue({ kind, key: 'good', payload: server.url })
    await db.effects.reached(kind, bookmark, { keys: ['good'] })
    dead = await db.effects.deadLetters()
  }
  expect(dead).toMatchObject([{ key: 'bad', attempts: 4 }])
  await db.close()
  await server.close()
})

/** Refuses until it was left alone for as long as it asked, since it has refused so often. */
class Patient {
  isTooEarly = false
  #refusals = 0
  #askedUntilMs = 0
  readonly #refusalsToBeDown: number

  constructor(refusalsToBeDown: number) {
    this.#refusalsToBeDown = refusalsToBeDown
  }

  readonly answer = () => {
    const isDown = this.#refusals >= this.#refusalsToBeDown
    const isLeftAlone = performance.now() >= this.#askedUntilMs
    if (isDown && isLeftAlone) return {}
    this.isTooEarly ||= isDown
    this.#refusals++
    this.#askedUntilMs = performance.now() + 1_000
    return { status: 503, headers: { 'retry-after': '1' } }
  }
}

const post = async ({ key }: Effect, url: string): Promise<void> => {
  const { ok, status, headers } = await fetch(url, { method: 'POST', body: key ?? '' })
  if (!ok) throw Object.assign(new Error('not now'), { status, headers })
}

test.for<[string, (url: string) => EffectHandler<unknown>]>([
  ['throws', (url) => async (effects) => await post(effects[0] as Effect, url)],
  [
    'says',
    (url) => async (effects) =>
      await post(effects[0] as Effect, url).then(
        () => undefined,
        (error: unknown) => [{ kind: 'retry', error, afterMs: 1_000 }],
      ),
  ],
])(
  'law 8 · a target that is down is not asked before it wants to be, as its handler %s',
  async ([, handlerFor]) => {
    const patient = new Patient(3)
    const server = await HttpServer.start(patient.answer)
    const db = await openOnFile()
    await db.effects.handle(kind, handlerFor(server.url), quick)
    const keys = ['a', 'b', 'c', 'd', 'e']
    const { bookmark } = db.enqueue(...keys.map((key) => ({ kind, key })))
    await db.effects.reached(kind, bookmark)
    expect(patient.isTooEarly).toBe(false)
    await db.close()
    await server.close()
  },
)
