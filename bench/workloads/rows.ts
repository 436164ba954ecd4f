/**
 * The rows that every contender writes: log lines of a fixed size, the same ones for all.
 *
 * They are made once, before any clock starts, so that nobody pays for generating them. `ts` counts
 * up through the pool: with it a reader can tell from the table alone that each row arrived once and
 * in order (see verify.ts).
 */

export interface Row {
  readonly ts: number
  readonly level: string
  readonly service: string
  readonly message: string
  readonly attributes: string
}

export interface RowPool {
  /** The row written as number `index`; the pool repeats after `size` rows. */
  readonly at: (index: number) => Row
  readonly size: number
}

export const FIRST_TS = 1_750_000_000_000

export const CREATE_LOGS =
  'CREATE TABLE logs (id INTEGER PRIMARY KEY, ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT)'

const ITEM_COLUMNS = 'ts INTEGER, level TEXT, service TEXT, message TEXT, attributes TEXT'
/** Written and read by key; and the same without a key. */
export const CREATE_ITEMS = `CREATE TABLE items (id INTEGER PRIMARY KEY, ${ITEM_COLUMNS}); CREATE TABLE keyless (id INTEGER, ${ITEM_COLUMNS})`

const LEVELS = ['debug', 'info', 'info', 'info', 'warn', 'error']
const SERVICES = ['gateway', 'checkout', 'search', 'billing', 'inventory', 'mailer']
const WORDS =
  'request accepted upstream answered cache missed retry scheduled token renewed order placed page rendered'.split(
    ' ',
  )

/** Rows of about `rowBytes` bytes each; the same seed always gives the same rows. */
export function createRowPool(rowBytes: number, seed = 1): RowPool {
  // A power of two keeps the choice of a row to one mask; 4 MB at most keeps the pool itself cheap.
  const size = rowBytes > 1024 ? 1024 : 4096
  const random = createRandom(seed)
  const rows: Row[] = []
  for (let index = 0; index < size; index++) rows.push(createRow(index, rowBytes, random))
  return { size, at: (index) => rows[index & (size - 1)] as Row }
}

/** A copy that shares no string with the pool, as rows parsed from a socket would be. */
export function copyRow(row: Row): Row {
  return JSON.parse(JSON.stringify(row)) as Row
}

function createRow(index: number, rowBytes: number, random: () => number): Row {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const level = pick(LEVELS)
  const service = pick(SERVICES)
  const attributes = JSON.stringify({
    host: `web-${1 + Math.floor(random() * 24)}`,
    request: Math.floor(random() * 2 ** 48).toString(16),
    user: Math.floor(random() * 1e6),
    region: 'eu-central-1',
    status: pick([200, 200, 200, 201, 304, 404, 500]),
  })
  const messageBytes = rowBytes - 8 - level.length - service.length - attributes.length
  let message = `GET /api/orders/${Math.floor(random() * 1e6)} in ${Math.floor(random() * 900)} ms:`
  while (message.length < messageBytes) message += ` ${pick(WORDS)}`
  // Strings that were glued together stay ropes inside V8 until first used; copying makes them flat.
  return copyRow({
    ts: FIRST_TS + index,
    level,
    service,
    message: message.slice(0, messageBytes),
    attributes,
  })
}

/** mulberry32: small, fast and the same everywhere. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
