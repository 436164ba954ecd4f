/** The options of `npm run bench -- writes`. */

import { parseArgs } from 'node:util'
import { isPeerName, PEER_NAMES, type PeerName } from './peers/index.ts'

export const SECTIONS = ['throughput', 'large-rows', 'sweep', 'latency', 'memory'] as const
export type SectionName = (typeof SECTIONS)[number]

export interface WriteOptions {
  readonly rows: number
  readonly rounds: number
  readonly rowBytes: number
  readonly only: readonly PeerName[]
  readonly sections: readonly SectionName[]
  readonly quick: boolean
  readonly long: boolean
  readonly patient: boolean
  readonly json: string | undefined
  readonly folder: string | undefined
  readonly profile: string | undefined
}

export const WRITES_USAGE = `npm run bench -- writes [options]

  --rows N         rows of one contender in one round (1000000; slow contenders: a twentieth)
  --rounds N       rounds of the main comparison (5)
  --row-bytes N    bytes of a row (250)
  --only A,B       only these contenders
  --sections A,B   only these parts: ${SECTIONS.join(', ')}
  --quick          fewer and shorter rounds, under 40 seconds
  --long           also ten million rows, to see that memory stays flat
  --patient        repeat a round during which other processes were busy, up to 20 times
  --json FILE      where the results go (bench/results/writes-….json)
  --folder DIR     where the databases are made (the system's folder for temporary files)
  --profile DIR    leave CPU profiles of every contender's threads there; they slow it down

Contenders: ${PEER_NAMES.join(', ')}`

export class UsageError extends Error {}

export function parseWriteOptions(args: readonly string[]): WriteOptions {
  const { values } = parse(args)
  const quick = values.quick
  return {
    rows: wholeNumber('rows', values.rows, quick ? 100_000 : 1_000_000),
    rounds: wholeNumber('rounds', values.rounds, quick ? 3 : 5),
    rowBytes: wholeNumber('row-bytes', values['row-bytes'], 250),
    only: list('only', values.only, PEER_NAMES, isPeerName),
    sections: list('sections', values.sections, SECTIONS, isSectionName),
    quick,
    long: values.long,
    patient: values.patient,
    json: values.json,
    folder: values.folder,
    profile: values.profile,
  }
}

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean', default: false } as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: TEXT,
        rounds: TEXT,
        'row-bytes': TEXT,
        only: TEXT,
        sections: TEXT,
        json: TEXT,
        folder: TEXT,
        profile: TEXT,
        quick: FLAG,
        long: FLAG,
        patient: FLAG,
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text.replaceAll('_', ''))
  // Below 200 bytes a row has no room for its own attributes.
  const least = name === 'row-bytes' ? 200 : name === 'rows' ? 1_000 : 1
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`--${name} takes a whole number, at least ${least}; it was given "${text}".`)
  }
  return value
}

function list<T extends string>(
  name: string,
  text: string | undefined,
  all: readonly T[],
  isOne: (value: string) => value is T,
): readonly T[] {
  if (text === undefined) return all
  return text.split(',').map((value) => {
    if (isOne(value)) return value
    throw new UsageError(`--${name} does not know "${value}"; there are: ${all.join(', ')}.`)
  })
}

function isSectionName(name: string): name is SectionName {
  return (SECTIONS as readonly string[]).includes(name)
}
