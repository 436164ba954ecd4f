/** The checker sees each way in which a history can be wrong: in a true one something is changed. */
import { expect, test } from 'vitest'
import { check } from '../../src/testing/simulation/checker.ts'
import type { Ending, EventOf, History, HistoryEvent } from '../../src/testing/simulation/history.ts'
import { simulate } from '../../src/testing/simulation/simulate.ts'
import { programOf } from '../../src/testing/simulation/workload.ts'

interface Lie {
  readonly law: number
  readonly what: string
  /** @returns the event as it is told, or nothing where there is nothing to lie about */
  readonly tell: (event: HistoryEvent, at: number) => HistoryEvent | readonly HistoryEvent[] | undefined
}

/** Of events of one kind, where it applies. */
function lie<K extends HistoryEvent['kind']>(
  law: number,
  kind: K,
  what: string,
  tell: (event: EventOf<K>) => HistoryEvent | readonly HistoryEvent[] | undefined,
): Lie {
  return { law, what, tell: (event) => (event.kind === kind ? tell(event as EventOf<K>) : undefined) }
}

const ended = (event: EventOf<'settled'>, ending: Partial<Ending>): HistoryEvent => ({
  ...event,
  ending: { ...event.ending, ...ending },
})

const lies: readonly Lie[] = [
  lie(1, 'settled', 'a write that is settled twice', (event) => [event, event]),
  lie(1, 'settled', 'a committed write told as rejected', (event) =>
    event.ending.kind === 'committed' && event.ending.seq !== undefined
      ? ended(event, { kind: 'rejected', storeCode: 'SQLITE_CONSTRAINT_CHECK' })
      : undefined,
  ),
  lie(1, 'settled', 'another id than the row has', (event) =>
    event.ending.id === undefined ? undefined : ended(event, { id: event.ending.id + 1 }),
  ),
  lie(1, 'settled', 'a committed write told as not committed', (event) =>
    event.ending.kind === 'committed' && event.ending.seq !== undefined
      ? [
          { atMs: event.atMs, kind: 'told-stopped', engine: event.engine, code: 'STORE_FAILED' },
          ended(event, { kind: 'abandoned', outcome: 'not-committed' }),
        ]
      : undefined,
  ),
  lie(2, 'accepted', 'a position that was given before', (event) =>
    event.first > 1 ? { ...event, first: event.first - 1 } : undefined,
  ),
  lie(2, 'committed', 'a tidemark that falls', (event) => {
    const [first] = event.contents.tidemarks
    if (!first || first[1] === 0) return undefined
    const fallen = [[first[0], first[1] - 1, first[2]] as const, ...event.contents.tidemarks.slice(1)]
    return [event, { ...event, contents: { ...event.contents, tidemarks: fallen, log: [], letters: [] } }]
  }),
  lie(3, 'committed', 'a cell with another number', (event) => {
    const [first, ...rest] = event.contents.cells
    if (!first) return undefined
    return { ...event, contents: { ...event.contents, cells: [[first[0], first[1] + 1] as const, ...rest] } }
  }),
  lie(3, 'committed', 'a row that is in the log twice', (event) =>
    event.contents.log.length > 0
      ? { ...event, contents: { ...event.contents, logCount: event.contents.logCount + 1 } }
      : undefined,
  ),
  lie(5, 'committed', 'a dead letter that is missing', (event) =>
    event.contents.letters.length > 0
      ? { ...event, contents: { ...event.contents, letters: event.contents.letters.slice(1) } }
      : undefined,
  ),
  lie(6, 'read-ended', 'rows that never were', (event) =>
    event.rows ? { ...event, rows: { ...event.rows, log: [...event.rows.log, 4_711] } } : undefined,
  ),
  lie(6, 'read-ended', 'other positions than the rows have seen', (event) =>
    event.seen?.[0] ? { ...event, seen: [{ ...event.seen[0], seq: event.seen[0].seq + 1 }] } : undefined,
  ),
  lie(6, 'get-ended', 'a number that the cell never had', (event) =>
    event.ending.kind === 'committed' ? { ...event, n: 4_711 } : undefined,
  ),
  lie(6, 'get-ended', 'something pending where nothing is', (event) =>
    event.ending.kind === 'committed' && !event.pending ? { ...event, pending: true } : undefined,
  ),
  lie(7, 'accepted', 'more in the queue than it may hold', (event) => ({ ...event, queued: 1_000 })),
  lie(7, 'room', 'room again in a full queue', (event) =>
    event.isFull ? { ...event, isFull: false } : undefined,
  ),
  lie(9, 'closed', 'an engine that commits after it has closed', (event) =>
    event.ending.kind === 'committed' ? undefined : { ...event, ending: { kind: 'committed' } },
  ),
]

async function histories(): Promise<History[]> {
  const all: History[] = []
  for (let seed = 1; seed <= 60; seed++) all.push(await simulate(programOf(seed)))
  return all
}

const told = await histories()

test.for(lies)('law $law · the checker sees $what', ({ law, tell }) => {
  let lied = 0
  let seen = 0
  for (const history of told) {
    const at = history.events.findIndex((event, index) => tell(event, index) !== undefined)
    if (at < 0) continue
    const event = history.events[at] as HistoryEvent
    const events = [
      ...history.events.slice(0, at),
      ...[tell(event, at) ?? []].flat(),
      ...history.events.slice(at + 1),
    ]
    lied++
    if (check({ ...history, events }).some((violation) => violation.law === law)) seen++
  }
  expect(lied).toBeGreaterThan(3)
  // Some lies happen to be true: a row pending that another operation makes so.
  expect(seen / lied).toBeGreaterThan(0.7)
})

test('the histories as they are break no law', () => {
  for (const history of told) expect(check(history)).toEqual([])
})
