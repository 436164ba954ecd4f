/** The options of `npm run bench -- live`. */
import { LIVE_PEER_NAMES, type LivePeerName } from '../peers/live/index.ts'
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

export const LIVE_SECTIONS = ['change', 'memory', 'pipeline'] as const
export type LiveSectionName = (typeof LIVE_SECTIONS)[number]

export interface LiveBenchOptions extends CommonOptions {
  readonly only: readonly LivePeerName[]
  readonly sections: readonly LiveSectionName[]
  /** How long changes of one kind are measured in one round. */
  readonly roundMs: number
  /** That are open at once. */
  readonly scopes: number
  /** That a stage of a pipeline writes, beside its status. */
  readonly rows: number
}

export const LIVE_USAGE = `npm run bench -- live [options]

  --rows N         rows that a stage of the pipeline writes, beside its status (25)
  --scopes N       scopes that are open at once in the section memory (100000)
  --rounds N       rounds of every comparison (3)
  --round-ms N     how long changes of one kind are measured in one round (1000)
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${LIVE_SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, under a minute
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/live-….json)
  ${COMMON_USAGE.folder}
  ${COMMON_USAGE.profile}

Contenders: ${LIVE_PEER_NAMES.join(', ')}; each runs in the sections that it can do.`

export function parseLiveOptions(args: readonly string[]): LiveBenchOptions {
  const values = parse(args, { ...COMMON, rows: TEXT, scopes: TEXT, 'round-ms': TEXT })
  const { quick, patient, json, folder, profile } = values
  if (values['row-bytes'] !== undefined)
    throw new UsageError('--row-bytes is not for live scopes: their rows have about 100 bytes.')
  return {
    rows: wholeNumber('rows', values.rows, 25),
    scopes: wholeNumber('scopes', values.scopes, quick ? 20_000 : 100_000, 1_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 3),
    roundMs: wholeNumber('round-ms', values['round-ms'], quick ? 500 : 1_000, 100),
    only: list('only', values.only, LIVE_PEER_NAMES),
    sections: list('sections', values.sections, LIVE_SECTIONS),
    quick,
    patient,
    json,
    folder,
    profile,
  }
}
