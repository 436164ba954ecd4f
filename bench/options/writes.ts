/** The options of `npm run bench -- writes`. */

import { PEER_NAMES, type PeerName } from '../peers/index.ts'
import {
  COMMON,
  COMMON_USAGE,
  FLAG,
  list,
  parse,
  rowBytesOf,
  TEXT,
  wholeNumber,
  type CommonOptions,
} from './parse.ts'

export const SECTIONS = ['throughput', 'large-rows', 'sweep', 'latency', 'memory'] as const
export type SectionName = (typeof SECTIONS)[number]

export interface WriteOptions extends CommonOptions {
  readonly rowBytes: number
  readonly rows: number
  readonly only: readonly PeerName[]
  readonly sections: readonly SectionName[]
  readonly long: boolean
}

export const WRITES_USAGE = `npm run bench -- writes [options]

  --rows N         rows of one contender in one round (1000000; slow contenders: a twentieth)
  --rounds N       rounds of the main comparison (5)
  ${COMMON_USAGE.rowBytes}
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, under 40 seconds
  --long           also ten million rows, to see that memory stays flat
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/writes-….json)
  ${COMMON_USAGE.folder}
  ${COMMON_USAGE.profile}

Contenders: ${PEER_NAMES.join(', ')}`

export function parseWriteOptions(args: readonly string[]): WriteOptions {
  const values = parse(args, { ...COMMON, rows: TEXT, long: FLAG })
  const { quick, long, patient, json, folder, profile } = values
  return {
    rows: wholeNumber('rows', values.rows, quick ? 100_000 : 1_000_000, 1_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 3 : 5),
    rowBytes: rowBytesOf(values['row-bytes']),
    only: list('only', values.only, PEER_NAMES),
    sections: list('sections', values.sections, SECTIONS),
    quick,
    long,
    patient,
    json,
    folder,
    profile,
  }
}
