/** What other processes do meanwhile: when a round is repeated for it, and how it is told. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Usage } from '../measure.ts'
import type { CommonOptions } from '../options/parse.ts'
import { spreadOf } from '../statistics.ts'

/** Processors that others may use before a round counts as disturbed. */
const NOISE = 0.15
const PATIENT_TRIES = 20
const PAUSE_MS = 250

export interface Disturbed {
  /** Processors that were busy with something else. */
  readonly othersProcessors: number
}

export function othersProcessorsIn({ othersCpuUs, elapsedMs }: Usage): number {
  return othersCpuUs / (elapsedMs * 1000)
}

/** Whether a round is repeated depends on the other processes alone, never on its result. */
export async function runQuietly<Round>(
  { patient }: Pick<CommonOptions, 'patient'>,
  run: () => Promise<Round>,
  othersIn: (round: Round) => number,
): Promise<Round> {
  const tries = patient ? PATIENT_TRIES : 1
  for (let attempt = 1; ; attempt++) {
    const round = await run()
    if (attempt >= tries || othersIn(round) <= NOISE) return round
    await sleep(PAUSE_MS * attempt)
  }
}

/** Undefined on a quiet machine; else a sentence about how far these rounds may be trusted. */
export function noiseIn(rounds: readonly Disturbed[]): string | undefined {
  const noisy = rounds.filter(({ othersProcessors }) => othersProcessors > NOISE)
  if (noisy.length === 0) return undefined
  const share = spreadOf(noisy.map(({ othersProcessors }) => othersProcessors)).median.toFixed(2)
  return `The machine was not quiet: in ${noisy.length} of ${rounds.length} rounds others kept ${share} processors busy.`
}
