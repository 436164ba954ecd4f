/** The options of `npm run bench -- effects`. */
import { EFFECTS_PEER_NAMES, type EffectsPeerName } from '../peers/effects/index.ts'
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

export const EFFECTS_SECTIONS = ['drain', 'uneven', 'callers', 'idle', 'writes'] as const
export type EffectsSectionName = (typeof EFFECTS_SECTIONS)[number]

export interface EffectsBenchOptions extends CommonOptions {
  readonly only: readonly EffectsPeerName[]
  readonly sections: readonly EffectsSectionName[]
  /** `embedded`, `debian`, or a URL. */
  readonly server: string
  /** Items that one contender takes, and does, in one round. */
  readonly items: number
  readonly roundMs: number
}

export const EFFECTS_USAGE = `npm run bench -- effects [options]

  --server S       embedded: PostgreSQL 18 as npm has it (the default); debian: the system's own; or the URL of one
                   that is running, where a database is made for each job and dropped
  --items N        items of one contender in one round (1000000; slow contenders: a part of it)
  --rounds N       rounds of each comparison (5)
  --round-ms N     how long callers, single items and writes are measured in a round (3000)
  ${COMMON_USAGE.only}
  --sections A,B   only these parts: ${EFFECTS_SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, about two minutes
  ${COMMON_USAGE.patient}
  --json FILE      where the results go (bench/results/effects-….json)
  --folder DIR     where the databases are (the system's folder for temporary files): on a disk that syncs
  ${COMMON_USAGE.profile}

Contenders: ${EFFECTS_PEER_NAMES.join(', ')}. BullMQ takes a redis-server that is installed.`

export function parseEffectsOptions(args: readonly string[]): EffectsBenchOptions {
  const values = parse(args, { ...COMMON, items: TEXT, 'round-ms': TEXT, server: TEXT })
  const { quick, patient, json, folder, profile } = values
  if (values['row-bytes'] !== undefined)
    throw new UsageError('--row-bytes is not for effects: its items have about 100 bytes.')
  return {
    server: serverOf(values.server),
    items: wholeNumber('items', values.items, quick ? 100_000 : 1_000_000, 20_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 5),
    roundMs: wholeNumber('round-ms', values['round-ms'], quick ? 1_500 : 3_000, 500),
    only: list('only', values.only, EFFECTS_PEER_NAMES),
    sections: list('sections', values.sections, EFFECTS_SECTIONS),
    quick,
    patient,
    json,
    folder,
    profile,
  }
}
