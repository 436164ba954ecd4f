/**
 * The log entries that every contender gets: about 250 bytes as a row, a message of nine words with a number, a
 * service, a level, four attributes. Entry number `n` is the same everywhere, so that what is found can be checked.
 *
 * Words are drawn unevenly, as in real logs: a few are in every third message, most in one of hundreds. The number in
 * the message comes again after a million entries, so a search for it finds one entry of each million.
 */
import type { Level, LogEntry, LogRow } from '../../../src/logs/index.ts'
import { FIRST_TS } from '../rows.ts'

const SERVICES = ['gateway', 'checkout', 'search', 'billing', 'inventory', 'accounts', 'shipping', 'mailer']
export const RARE_SERVICE = 'ledger'
const WORDS = (
  'request upstream cache session order payment token retry worker queue answered accepted missed scheduled renewed ' +
  'placed rendered stored loaded expired closed opened moved copied signed verified parsed merged split sent received ' +
  'dropped throttled delayed resumed paused started stopped finished failed timeout refused unreachable broken ' +
  'corrupt invalid unknown duplicate missing stale locked unlocked mounted detached attached resized restored'
).split(' ')
/** One in so many entries is fatal, and one in so many comes from the rare service. */
export const FATAL_EVERY = 10_000
export const RARE_SERVICE_EVERY = 1_000
export const NUMBERS = 1_000_000
const WORDS_PER_MESSAGE = 8
const REGIONS = ['eu-central-1', 'eu-west-2', 'us-east-1', 'ap-southeast-2']
const STATUSES = [200, 200, 200, 201, 304, 404, 500, 503]

export interface Entry extends LogEntry {
  readonly ts: number
  readonly level: Level
  readonly service: string
  readonly attributes: Readonly<Record<string, string | number>>
}

export function entryAt(n: number): Entry {
  const random = sequence(n)
  const words = Array.from(
    { length: WORDS_PER_MESSAGE },
    () => WORDS[Math.floor(random() ** 3 * WORDS.length)],
  )
  words.splice(2, 0, numberOf(n))
  return {
    ts: FIRST_TS + n,
    level: levelOf(n, random()),
    service:
      n % RARE_SERVICE_EVERY === 7
        ? RARE_SERVICE
        : (SERVICES[Math.floor(random() * SERVICES.length)] ?? RARE_SERVICE),
    message: words.join(' '),
    attributes: {
      trace: hex(random) + hex(random) + hex(random) + hex(random),
      region: REGIONS[Math.floor(random() * REGIONS.length)] ?? '',
      path: `/api/v2/accounts/u${Math.floor(random() * 1e6)}/orders`,
      status: STATUSES[Math.floor(random() * STATUSES.length)] ?? 200,
    },
  }
}

export function rowAt(n: number): LogRow {
  const { ts, level, service, message, attributes } = entryAt(n)
  return { ts, level, service, message, attributes: JSON.stringify(attributes) }
}

/** Of seven digits, as nothing else in an entry has: each of a million, in no order. */
export function numberOf(n: number): string {
  return String(NUMBERS + ((n * 7_919) % NUMBERS))
}

function levelOf(n: number, chance: number): Level {
  if (n % FATAL_EVERY === 11) return 'fatal'
  if (chance < 0.7) return 'info'
  if (chance < 0.85) return 'debug'
  return chance < 0.95 ? 'warn' : 'error'
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}

/** Chance that is the entry's own: mulberry32, begun at its number. */
function sequence(n: number): () => number {
  let state = Math.imul(n + 1, 0x9e3779b1) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Entries made before the clock starts; more than the pool has come again. */
export class EntryPool {
  readonly size: number
  readonly #entries: readonly Entry[]

  constructor(size: number) {
    this.size = size
    // Strings that were glued together stay ropes inside V8 until first used; a copy is flat.
    this.#entries = Array.from({ length: size }, (_, n) => JSON.parse(JSON.stringify(entryAt(n))) as Entry)
  }

  at(n: number): Entry {
    return this.#entries[n % this.size] as Entry
  }
}

/** A pool as large as fits beside the measurement; numbers and traces repeat after so many. */
export const POOL_SIZE = 64_000
