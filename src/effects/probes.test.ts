/** While a target is taken for down each call asks with one effect, each time another. */
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import { memory } from '../stores/memory/index.ts'
import { openWith } from '../tidemark.ts'

/** Longer than all pauses until each of a few was tried. */
const longMs = 600_000
const kind = 'embed'

async function engineOn(runtime: FakeRuntime) {
  const opening = openWith(runtime, memory({ commit: 'sync' }), {})
  await runtime.advance(1_000)
  return await opening
}

/** An engine whose target refuses what has a key with "bad" in it, and is taken for down: one such effect waits in a row. */
async function stageDown() {
  const runtime = new FakeRuntime()
  const db = await engineOn(runtime)
  const delivered: unknown[] = []
  const handling = db.effects.handle(kind, async (effects) => {
    const keys = effects.map(({ key }) => key)
    if (keys.some((key) => key?.startsWith('bad')))
      throw Object.assign(new Error('no server'), { status: 503 })
    delivered.push(...keys)
  })
  await runtime.advance(1_000)
  await handling
  db.enqueue({ kind, key: 'bad' })
  await runtime.advance(10_000)
  expect(db.effects.handlers().get(kind)).toMatchObject({ isDown: true, delivered: 0 })
  expect(await db.effects.waiting(kind)).toMatchObject([{ key: 'bad', attempts: 0 }])
  return { db, runtime, delivered }
}

test('law 8 · one that is refused for ever, and waits in a row, keeps those in the outbox from nothing', async () => {
  const { db, runtime, delivered } = await stageDown()
  db.enqueue({ kind, key: 'bad too' }, { kind, key: 'good' })
  await runtime.advance(longMs)
  expect(delivered).toEqual(['good'])
})

test('law 8 · one that is refused for ever, and waits in the outbox, keeps those in rows from nothing', async () => {
  const { db, runtime, delivered } = await stageDown()
  db.enqueue({ kind, key: 'bad too' }, { kind, key: 'good', delayMs: 1_000 })
  await runtime.advance(longMs)
  expect(delivered).toEqual(['good'])
})

test('law 8 · what the host of one effect asks for holds up that effect, as long as no other is refused, and no others', async () => {
  const { db, runtime, delivered, asked } = await stageAlone()
  await runtime.advance(3 * hostMs + 1_000)
  expect(db.effects.handlers().get(kind)).toMatchObject({ isDown: true })
  db.enqueue({ kind, key: 'good' })
  await runtime.advance(1_000)
  expect(delivered).toEqual(['good'])
  await runtime.advance(20 * hostMs)
  const pauses = asked.slice(1).map((at, index) => at - (asked[index] as number))
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(hostMs)
  expect(await db.effects.deadLetters()).toEqual([])
})

/** Longer than all pauses of our own. */
const hostMs = 200_000

/** An engine whose target has answered, and that delivers one effect alone, whose host asks for a long wait. */
async function stageAlone() {
  const runtime = new FakeRuntime()
  const db = await engineOn(runtime)
  const delivered: unknown[] = []
  /** When the host of the bad one was asked. */
  const asked: number[] = []
  const handling = db.effects.handle(
    kind,
    async ([effect]) => {
      if (effect?.key !== 'bad') return void delivered.push(effect?.key)
      asked.push(runtime.monotonicMs())
      throw Object.assign(new Error('not now'), { status: 429, retryAfterMs: hostMs })
    },
    // What counts besides two refusals before each outage makes it dead.
    { batch: 1, maxAttempts: 5 },
  )
  await runtime.advance(1_000)
  await handling
  db.enqueue({ kind, key: 'first' })
  await runtime.advance(1_000)
  expect(delivered.splice(0)).toEqual(['first'])
  db.enqueue({ kind, key: 'bad' })
  return { db, runtime, delivered, asked }
}
