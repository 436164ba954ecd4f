/** The options of `npm run bench -- postgres`. */
import { POSTGRES_PEER_NAMES, type PostgresPeerName } from '../peers/postgres/index.ts'
import {
  COMMON,
  COMMON_USAGE,
  list,
  parse,
  serverOf,
  TEXT,
  UsageError,
  wholeNumber,
  type CommonOptions,
} from './parse.ts'

export const POSTGRES_SECTIONS = [
  'inserts',
  'wide-rows',
  'fence',
  'callers',
  'slow-disk',
  'read-back',
] as const
export type PostgresSectionName = (typeof POSTGRES_SECTIONS)[number]

export interface PostgresBenchOptions extends CommonOptions {
  readonly only: readonly PostgresPeerName[]
  readonly sections: readonly PostgresSectionName[]
  /** `embedded`, `debian`, or a URL. */
  readonly server: string
  /** Rows that one contender writes in one round. */
  readonly rows: number
  readonly roundMs: number
}

export const POSTGRES_USAGE = `npm run bench -- postgres [options]

  --server S       embedded: PostgreSQL 18 as npm has it (the default); debian: the system's own; or the URL of one
                   that is running, where a database is made for each contender and dropped
  --rows N         rows of one contender in one round (200000; slow contenders: a tenth or a fiftieth)
  --rounds N       rounds of each comparison (3)
  --round-ms N     how long callers, and reads, are measured in a round (2000)
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${POSTGRES_SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, about a minute
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/postgres-….json)
  --folder DIR     where the server's data is (the system's folder for temporary files): on a disk that syncs
  ${COMMON_USAGE.profile}

Contenders: ${POSTGRES_PEER_NAMES.join('; ')}`

export function parsePostgresOptions(args: readonly string[]): PostgresBenchOptions {
  const values = parse(args, { ...COMMON, rows: TEXT, 'round-ms': TEXT, server: TEXT })
  const { quick, patient, json, folder, profile } = values
  if (values['row-bytes'] !== undefined)
    throw new UsageError('--row-bytes is not for postgres: its rows have about 100 bytes.')
  return {
    server: serverOf(values.server),
    rows: wholeNumber('rows', values.rows, quick ? 50_000 : 200_000, 10_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 3),
    roundMs: wholeNumber('round-ms', values['round-ms'], quick ? 1_000 : 2_000, 500),
    only: list('only', values.only, POSTGRES_PEER_NAMES),
    sections: list('sections', values.sections, POSTGRES_SECTIONS),
    quick,
    patient,
    json,
    folder,
    profile,
  }
}
