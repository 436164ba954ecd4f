/** One job of the effects benchmark: its process, its place, and what the place's server used meanwhile. */
import type { EffectsJob } from '../../job.ts'
import type { Usage } from '../../measure.ts'
import type { EffectsBenchOptions } from '../../options/effects.ts'
import { runContender } from '../../processes.ts'
import type { Context } from '../context.ts'
import type { Places } from './places.ts'

export type EffectsContext = Context<EffectsBenchOptions> & { readonly places: Places }

export type JobDetails = Pick<EffectsJob, 'workload' | 'peer'> & Partial<EffectsJob>

/** A stretch of time that a job has measured, from one of its pauses to the next. */
export interface Stretch {
  readonly usage: Usage
  readonly serverCpuUs: number | undefined
}

export async function runIn<Result>(
  { options, profileFolder }: EffectsContext,
  address: string,
  details: JobDetails,
  onPause?: (moment: string) => void | Promise<void>,
): Promise<Result> {
  const job: EffectsJob = {
    rows: options.items,
    roundMs: options.roundMs,
    warmRows: 0,
    isUneven: false,
    callers: 1,
    handlerPort: 0,
    address,
    ...details,
  }
  return await runContender<Result>(job, { profileFolder, ...(onPause && { onPause }) })
}

const BETWEEN_STRETCHES = 'enqueued'

/**
 * Runs a job that pauses at the beginning and at the end of what it measures.
 *
 * @param stretchesOf what it has measured, in this order; between two of them the place is tidied
 */
export async function runMeasured<Result>(
  context: EffectsContext,
  details: JobDetails,
  stretchesOf: (result: Result) => readonly Usage[],
): Promise<{ readonly result: Result; readonly stretches: readonly Stretch[] }> {
  const place = context.places.of(details.peer)
  const looks: (number | undefined)[] = []
  const look = async (): Promise<void> => void looks.push(await place.readCpuUs())
  const result = await place.with([], (address) =>
    runIn<Result>(context, address, details, async (moment) => {
      await look()
      if (moment !== BETWEEN_STRETCHES) return
      await place.tidy(address)
      await look()
    }),
  )
  const stretches = stretchesOf(result).map((usage, at) =>
    withoutServer(usage, looks[2 * at], looks[2 * at + 1]),
  )
  return { result, stretches }
}

/** What the server of a contender uses is not noise. */
function withoutServer(usage: Usage, before: number | undefined, after: number | undefined): Stretch {
  const serverCpuUs = before === undefined || after === undefined ? undefined : after - before
  // Who cannot tell the server from the others says nothing of them.
  const othersCpuUs = serverCpuUs === undefined ? NaN : Math.max(0, usage.othersCpuUs - serverCpuUs)
  return { usage: { ...usage, othersCpuUs }, serverCpuUs }
}
