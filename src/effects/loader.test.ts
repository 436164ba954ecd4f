/** What a lane loads of an outbox that is what it is in a database, while some of its reads fail. */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeRuntime } from '../../test/support/fake-runtime.ts'
import type { Seq, WriterName } from '../contracts/position.ts'
import { GrowingSegment } from '../segments.ts'
import { wordsOf } from '../sql/text.ts'
import { openEpoch } from '../stores/sqlite/bookkeeping.ts'
import type { EffectsHost } from './host.ts'
import { whileHeld } from './lease.ts'
import { Loader } from './loader.ts'
import { Window } from './window.ts'

const kind = 'embed'
const perSegment = 300

function outboxOf(segments: number): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  const { epoch } = openEpoch(database, {
    writer: 'w' as WriterName,
    leaseMs: 1_000,
    nowMs: 0,
    newIdentity: { id: 'database', secret: 'secret' },
    epochStep: 1,
  })
  database.exec(`INSERT INTO tidemark_lanes VALUES ('${kind}', 0, ${epoch}, 1, 1, 1000, '{}', 0)`)
  const keep = database.prepare(
    `INSERT INTO tidemark_segments (kind, epoch, first_seq, last_seq, last_n, items, content, committed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
  )
  for (let at = 0; at < segments; at++) {
    const growing = new GrowingSegment(kind, (at * perSegment + 1) as Seq)
    for (let one = 1; one <= perSegment; one++)
      growing.add((at * perSegment + one) as Seq, 0, {
        kind,
        key: null,
        payload: 'null',
        delayMs: 0,
        isLatestOnly: false,
      })
    const { first, last, lastN, count, content } = growing.whole()
    keep.run(kind, epoch, first, last, lastN, count, content)
  }
  return database
}

test('law 8 · whatever reads of the outbox fail, each effect is loaded once and in its place', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 30 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      async (segments, failures) => {
        const database = outboxOf(segments)
        const left = [...failures]
        const host: Pick<EffectsHost, 'epoch' | 'runtime' | 'ask' | 'durable'> = {
          epoch: 1 as EffectsHost['epoch'],
          runtime: new FakeRuntime(),
          ask: async (sql, parameters) => {
            if (left.shift() === true) throw new Error('out of reach')
            return database.prepare(wordsOf(sql, 'sqlite')).all(...parameters)
          },
          durable: async () => {},
        }
        const window = new Window(1, () => false)
        const lane = { number: 0, progress: new Map(), isOver: false, loaded: () => {} }
        const isHeld = whileHeld(host, kind, 0, { token: 1 })
        const loader = new Loader(host, kind, 1, window, isHeld, lane)
        const loaded: number[] = []
        for (let failed = 0; loaded.length < segments * perSegment || left.length > 0; failed++) {
          expect(failed).toBeLessThan(100)
          if (!(await loader.load().catch(() => true))) break
          // The window is emptied, as when all of it is delivered.
          const { items } = window.take(Infinity)
          loaded.push(...items.map(({ seq }) => seq))
          window.finish(items, 0)
          window.forget(window.progressWith(new Map(), items))
        }
        database.close()
        expect(loaded).toEqual(Array.from({ length: segments * perSegment }, (_, at) => at + 1))
      },
    ),
    { numRuns: 30 },
  )
})
