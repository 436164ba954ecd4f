/**
 * What the crashing process writes: a stream of operations that seed and epoch decide, so that whoever knows how
 * far a process came knows what must be in its file. `child.ts` writes it, `model.ts` replays it.
 *
 * No table has a key that would hide an operation applied twice, and increments show it in a number. The index
 * makes transactions long, so that many kills find one under way.
 */
import { Random } from '../../src/testing/simulation/random.ts'

export const schema = `
  CREATE TABLE rows (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL,
    payload TEXT NOT NULL CHECK (payload <> 'poison')
  );
  CREATE INDEX rows_by_payload ON rows (payload);
  CREATE TABLE latest (key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, payload TEXT NOT NULL);
  CREATE TABLE counters (key TEXT PRIMARY KEY, n INTEGER NOT NULL, version INTEGER NOT NULL);
  INSERT INTO counters SELECT 'counter' || value, 0, 0 FROM json_each('[0, 1, 2, 3, 4]');`

export interface Row {
  readonly epoch: number
  readonly seq: number
  readonly part: number
  readonly payload: string
}

export interface LatestRow {
  readonly key: string
  readonly epoch: number
  readonly seq: number
  readonly payload: string
}

export type Operation =
  | { readonly kind: 'row'; readonly row: Row }
  | { readonly kind: 'group'; readonly rows: readonly Row[]; readonly key: string }
  | { readonly kind: 'upsert'; readonly row: LatestRow }
  | { readonly kind: 'increment'; readonly key: string }
  | { readonly kind: 'guard'; readonly key: string; readonly isStale: boolean }
  | { readonly kind: 'load'; readonly rows: readonly Row[]; readonly source: string }

/** An operation and the positions it takes: a load takes one for each row. */
export interface Planned {
  readonly first: number
  readonly last: number
  readonly operation: Operation
}

/** The source of loads; its checkpoint is the last position of the load that was committed with it. */
export const source = 'generated'

export function* plan(seed: number, epoch: number): Generator<Planned, never> {
  const random = randomFrom(seed * 1_000_003 + epoch)
  const pick = (count: number): number => Math.floor(random() * count)
  const rowsOf = (seq: number, count: number, poisonShare: number, isOneSeq: boolean): Row[] =>
    Array.from({ length: count }, (_, part) => ({
      epoch,
      seq: isOneSeq ? seq : seq + part,
      part,
      payload: random() < poisonShare ? 'poison' : payloadOf(epoch, seq, part),
    }))

  for (let seq = 1; ;) {
    const operation = choose(random(), seq)
    const last = operation.kind === 'load' ? seq + operation.rows.length - 1 : seq
    yield { first: seq, last, operation }
    seq = last + 1
  }

  function choose(dice: number, seq: number): Operation {
    const key = `counter${pick(5)}`
    if (dice < 0.6) return { kind: 'row', row: rowsOf(seq, 1, 0.005, true)[0] as Row }
    if (dice < 0.72)
      return { kind: 'upsert', row: { key: `key${pick(8)}`, epoch, seq, payload: payloadOf(epoch, seq, 0) } }
    if (dice < 0.8) return { kind: 'increment', key }
    if (dice < 0.84) return { kind: 'guard', key, isStale: random() < 0.2 }
    if (dice < 0.96) return { kind: 'group', rows: rowsOf(seq, 2 + pick(8), 0.01, true), key }
    return { kind: 'load', rows: rowsOf(seq, 1 + pick(60), 0.01, false), source }
  }
}

const filler = '.'.repeat(500)

/** Begins with digits in no order, so that rows are spread over the whole index. */
function payloadOf(epoch: number, seq: number, part: number): string {
  const scattered = Math.imul(seq * 16 + part, 0x9e3779b1) >>> 0
  return `${scattered} ${epoch}.${seq}.${part} ${filler.slice(scattered % 400)}`
}

/** The same numbers in the child and in the test. */
export function randomFrom(seed: number): () => number {
  const random = new Random(seed)
  return () => random.next()
}
