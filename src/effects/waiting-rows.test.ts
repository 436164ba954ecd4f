/** Which rows are due, on a table that is what it is in a database. */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import type { WriterName } from '../contracts/position.ts'
import { openEpoch } from '../stores/sqlite/bookkeeping.ts'
import type { EffectsHost } from './host.ts'
import type { Item } from './item.ts'
import { whileHeld } from './lease.ts'
import { wordsOf } from '../sql/text.ts'
import { WaitingEffects } from './waiting.ts'

const kind = 'embed'

class Rows {
  readonly #database = new DatabaseSync(':memory:')
  readonly waiting: WaitingEffects
  #seq = 0

  constructor() {
    const { epoch } = openEpoch(this.#database, {
      writer: 'w' as WriterName,
      leaseMs: 1_000,
      nowMs: 0,
      newIdentity: { id: 'database', secret: 'secret' },
      epochStep: 1,
    })
    this.#database.exec(`INSERT INTO tidemark_lanes VALUES ('${kind}', 0, ${epoch}, 1, 1, 1000, '{}', 0)`)
    const host: Pick<EffectsHost, 'epoch' | 'runtime' | 'ask'> = {
      epoch,
      runtime: new FakeRuntime(),
      ask: (sql, parameters) =>
        Promise.resolve(this.#database.prepare(wordsOf(sql, 'sqlite')).all(...parameters)),
    }
    this.waiting = new WaitingEffects(host, kind, 0, whileHeld(host, kind, 0, { token: 1 }), () => false)
  }

  keep(key: string | undefined, dueAtMs: number): void {
    const seq = ++this.#seq
    this.#database
      .prepare(
        `INSERT INTO tidemark_effects VALUES (1, ?, 0, '${kind}', 0, ?, 'null', ?, 'waiting', 1, ?, 0, 0, 'x')`,
      )
      .run(seq, key ?? null, seq, dueAtMs)
    this.waiting.add(key, `1-${seq}-0`)
    this.waiting.dueBy(dueAtMs)
  }

  deliver({ seq, effect: { id, key } }: Item, nowMs: number): void {
    this.#database.prepare('DELETE FROM tidemark_effects WHERE epoch = 1 AND seq = ?').run(seq)
    if (key !== undefined && this.waiting.holdsBack(key)) this.waiting.letOn(nowMs)
    this.waiting.remove(key, id)
  }

  fail({ seq, effect: { id, key } }: Item, nowMs: number, dueAtMs: number): void {
    this.#database
      .prepare('UPDATE tidemark_effects SET due_at = ? WHERE epoch = 1 AND seq = ?')
      .run(dueAtMs, seq)
    if (key !== undefined && this.waiting.holdsBack(key)) this.waiting.letOn(nowMs)
    this.waiting.release(id)
    this.waiting.dueBy(dueAtMs)
  }

  get left(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM tidemark_effects').get()?.['n'])
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('keep' as const),
      key: fc.constantFrom('a', 'b', undefined, undefined, undefined),
      dueAtMs: fc.nat(6),
    }),
    fc.record({ kind: fc.constant('take' as const), max: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('deliver' as const), which: fc.nat(20) }),
    fc.record({ kind: fc.constant('fail' as const), which: fc.nat(20), afterMs: fc.nat(5) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(5) }),
  ),
  { maxLength: 60 },
)

test('law 8 · whatever becomes due is given out once it is told, one of a key at a time, without another look', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (todo) => {
      const rows = new Rows()
      let nowMs = 0
      const out: Item[] = []
      const take = async (max: number): Promise<number> => {
        if ((rows.waiting.nextDueMs ?? Infinity) > nowMs) return 0
        const taken = await rows.waiting.takeDue(nowMs, max)
        out.push(...taken)
        expect(new Set(out.map(({ effect }) => effect.id)).size).toBe(out.length)
        const keys = out.flatMap(({ effect }) => effect.key ?? [])
        expect(new Set(keys).size).toBe(keys.length)
        for (const { dueAtMs } of taken) expect(dueAtMs).toBeLessThanOrEqual(nowMs)
        return taken.length
      }
      const oneOf = (which: number): Item | undefined => out.splice(which % Math.max(1, out.length), 1)[0]
      for (const step of todo) {
        if (step.kind === 'keep') rows.keep(step.key, step.dueAtMs)
        else if (step.kind === 'take') await take(step.max)
        else if (step.kind === 'pass') nowMs += step.ms
        else {
          const item = oneOf(step.which)
          if (item === undefined) continue
          if (step.kind === 'deliver') rows.deliver(item, nowMs)
          else rows.fail(item, nowMs, nowMs + step.afterMs)
        }
      }
      nowMs += 100
      while (rows.left > 0) {
        const taken = await take(3)
        expect(taken + out.length).toBeGreaterThan(0)
        for (const item of out.splice(0)) rows.deliver(item, nowMs)
      }
    }),
    { numRuns: 1_000 },
  )
  // Far more than it takes: a busy machine shall not fail what is only slow.
}, 60_000)

test('law 7 · only so many are given out until what became of some is committed, and then the others', async () => {
  const rows = new Rows()
  const out: Item[] = []
  for (let row = 0; row < 10_000; row++) rows.keep(undefined, 0)
  while (rows.waiting.nextDueMs !== undefined) out.push(...(await rows.waiting.takeDue(0, 512)))
  expect(out).toHaveLength(8_192)
  for (const item of out.splice(0, 100)) rows.deliver(item, 0)
  expect(rows.waiting.nextDueMs).toBe(0)
  while (rows.waiting.nextDueMs !== undefined) out.push(...(await rows.waiting.takeDue(0, 512)))
  expect(out).toHaveLength(8_192)
  while (rows.left > 0) {
    for (const item of out.splice(0)) rows.deliver(item, 0)
    out.push(...(await rows.waiting.takeDue(0, 512)))
  }
})
