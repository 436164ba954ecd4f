/** The options of `npm run bench -- logs`. */
import { LOG_PEER_NAMES, type LogPeerName } from '../peers/logs/index.ts'
import {
  COMMON,
  COMMON_USAGE,
  list,
  parse,
  TEXT,
  UsageError,
  wholeNumber,
  type CommonOptions,
} from './parse.ts'

export const LOG_SECTIONS = ['ingest', 'http', 'search', 'tail'] as const
export type LogSectionName = (typeof LOG_SECTIONS)[number]

export interface LogBenchOptions extends CommonOptions {
  readonly rowBytes: number
  readonly only: readonly LogPeerName[]
  readonly sections: readonly LogSectionName[]
  /** Entries that one contender takes in one round. */
  readonly entries: number
  /** Entries in the table that is searched. */
  readonly rows: number
  /** How long each kind of search, and each tail, is measured. */
  readonly roundMs: number
}

export const LOGS_USAGE = `npm run bench -- logs [options]

  --entries N      entries of one contender in one round (300000)
  --rounds N       rounds of ingest and http (3)
  --rows N         entries in the table that is searched (5000000)
  --round-ms N     how long each search, and each tail, is measured (5000)
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${LOG_SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, a table of 200000, about a minute
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/logs-….json)
  ${COMMON_USAGE.folder}
  ${COMMON_USAGE.profile}

Contenders: ${LOG_PEER_NAMES.join(', ')}`

/** Entries are as they are: nobody chooses their size. */
const ROW_BYTES = 250

export function parseLogOptions(args: readonly string[]): LogBenchOptions {
  const values = parse(args, { ...COMMON, rows: TEXT, entries: TEXT, 'round-ms': TEXT })
  const { quick, patient, json, folder, profile } = values
  if (values['row-bytes'] !== undefined)
    throw new UsageError('--row-bytes is not for logs: their entries have about 250 bytes.')
  const entries = wholeNumber('entries', values.entries, quick ? 50_000 : 300_000, 10_000)
  return {
    // Whole loads and whole requests.
    entries: Math.ceil(entries / 1_000) * 1_000,
    rows: wholeNumber('rows', values.rows, quick ? 200_000 : 5_000_000, 200_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 3),
    roundMs: wholeNumber('round-ms', values['round-ms'], quick ? 1_000 : 5_000, 500),
    rowBytes: ROW_BYTES,
    only: list('only', values.only, LOG_PEER_NAMES),
    sections: list('sections', values.sections, LOG_SECTIONS),
    quick,
    patient,
    json,
    folder,
    profile,
  }
}
