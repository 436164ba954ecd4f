/** The options of `npm run bench -- reads`. */

import { READ_PEER_NAMES, type ReadPeerName } from '../peers/reads/index.ts'
import {
  COMMON,
  COMMON_USAGE,
  list,
  parse,
  rowBytesOf,
  TEXT,
  wholeNumber,
  type CommonOptions,
} from './parse.ts'

export const READ_SECTIONS = ['read-after-write', 'get', 'eventual', 'together', 'pending'] as const
export type ReadSectionName = (typeof READ_SECTIONS)[number]

export interface ReadBenchOptions extends CommonOptions {
  readonly rowBytes: number
  readonly only: readonly ReadPeerName[]
  readonly sections: readonly ReadSectionName[]
  /** How long one contender is measured in one round. */
  readonly roundMs: number
  /** Rows that are there before the clock starts. */
  readonly rows: number
  readonly pendingKeys: number
}

export const READS_USAGE = `npm run bench -- reads [options]

  --rows N         rows in the table that is read (100000)
  --rounds N       rounds of every comparison (3)
  --round-ms N     how long one contender is measured in one round (1000)
  --pending N      keys of the section pending (1000000)
  ${COMMON_USAGE.rowBytes}
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${READ_SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, under a minute
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/reads-….json)
  ${COMMON_USAGE.folder}
  ${COMMON_USAGE.profile}

Contenders: ${READ_PEER_NAMES.join(', ')}`

export function parseReadOptions(args: readonly string[]): ReadBenchOptions {
  const values = parse(args, { ...COMMON, rows: TEXT, 'round-ms': TEXT, pending: TEXT })
  const { quick, patient, json, folder, profile } = values
  return {
    rows: wholeNumber('rows', values.rows, quick ? 20_000 : 100_000, 1_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 3),
    roundMs: wholeNumber('round-ms', values['round-ms'], quick ? 500 : 1_000, 100),
    pendingKeys: wholeNumber('pending', values.pending, quick ? 200_000 : 1_000_000, 10_000),
    rowBytes: rowBytesOf(values['row-bytes']),
    only: list('only', values.only, READ_PEER_NAMES),
    sections: list('sections', values.sections, READ_SECTIONS),
    quick,
    patient,
    json,
    folder,
    profile,
  }
}
