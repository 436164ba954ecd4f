/** What the figures say about settings. */
import type { Measured } from './measure.ts'
import type { Place } from './place.ts'

export interface Suggestion {
  readonly maxOperations: number
  readonly readers: number
  /** In sentences. */
  readonly because: readonly string[]
}

/** What a smaller setting may fall short of the best one: it costs less memory and less waiting. */
const nearBest = 0.9

export function suggest(kind: Place['kind'], measured: Measured): Suggestion {
  const batch = smallestNearBest(measured.batches)
  const pool = smallestNearBest(measured.reads)
  return {
    maxOperations: batch?.maxOperations ?? 1_000,
    readers: pool?.readers ?? 1,
    because: [
      ...(batch === undefined
        ? []
        : [`Batches of ${batch.maxOperations} are the smallest that come within a tenth of the best rate.`]),
      ...(pool === undefined ? [] : [`So do ${pool.readers} for reads.`]),
      ...aboutCommits(kind, measured),
    ],
  }
}

/** The list is in rising order of what it costs. */
function smallestNearBest<R extends { readonly perSecond: number }>(rates: readonly R[]): R | undefined {
  const best = Math.max(0, ...rates.map(({ perSecond }) => perSecond))
  return rates.find(({ perSecond }) => perSecond >= nearBest * best)
}

function aboutCommits(kind: Place['kind'], { commit, unawaitedCommit, callers }: Measured): string[] {
  if (kind === 'sqlite' || unawaitedCommit === null) return []
  const waitMs = Math.max(0, commit.p50Ms - unawaitedCommit.p50Ms)
  const [alone, ...together] = callers
  const most = together.at(-1)
  const shared =
    alone === undefined || most === undefined || alone.perSecond === 0
      ? []
      : [
          `Callers that await at the same time share a commit: ${most.callers} of them get ${Math.round(most.perSecond / alone.perSecond)} times the rate of one.`,
        ]
  // Below this the disk is not what a commit waits for.
  if (waitMs < 0.2)
    return [
      "A commit hardly waits for the disk (or for a standby): keep `synchronousCommit: 'on'`.",
      ...shared,
    ]
  return [
    `A commit waits ${waitMs.toFixed(1)} ms for the disk (or for a standby). \`synchronousCommit: 'off'\` would save that and lose the newest commits in a crash of the server: batches and shared commits hide most of it, so keep it on.`,
    ...shared,
  ]
}
