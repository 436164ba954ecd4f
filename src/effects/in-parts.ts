/**
 * Commits many small changes that do not depend on each other: as one operation, or in parts where that is larger than
 * the queue takes, or one of them is refused.
 */
import type { EffectsHost } from './host.ts'
import { OwnRuns } from '../own-runs.ts'

/** @returns those that were refused by themselves */
export async function commitInParts<T>(
  host: EffectsHost,
  changes: readonly T[],
  add: (runs: OwnRuns, change: T) => void,
): Promise<T[]> {
  if (changes.length === 0) return []
  const runs = new OwnRuns()
  for (const change of changes) add(runs, change)
  if ((await host.commit(runs.runs)) === undefined) return []
  if (changes.length === 1) return [...changes]
  const half = Math.ceil(changes.length / 2)
  return [
    ...(await commitInParts(host, changes.slice(0, half), add)),
    ...(await commitInParts(host, changes.slice(half), add)),
  ]
}
