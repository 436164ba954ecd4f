/** What open scopes take, and how long it takes to open and to close them, beside plain objects. */
import type { Usage } from '../../measure.ts'
import { HOLDER_NAMES, type HolderName } from '../../peers/live/index.ts'
import { decimal, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { Held } from '../../workloads/live/memory.ts'
import { HELD_PARTS } from '../../workloads/live/sizes.ts'
import { othersProcessorsIn } from '../noise.ts'
import { medianOver, printNoise, takeTurns } from '../reads/round.ts'
import { rowsAtFirst } from './file.ts'
import { runLive, type LiveContext } from './job.ts'

interface MemoryLane {
  readonly peer: HolderName
  readonly rounds: readonly Held[]
}

export async function compareMemory(context: LiveContext): Promise<readonly MemoryLane[]> {
  const { scopes } = context.options
  const rows = rowsAtFirst(scopes, HELD_PARTS)
  const peers = HOLDER_NAMES.filter(context.isListed)
  const lanes = peers.map((peer) => ({
    title: peer,
    run: () =>
      runLive<Held>(
        context,
        { workload: 'live/memory', peer, rows: scopes },
        { before: rows, after: () => rows },
      ),
  }))
  const results = await takeTurns(context, 'memory', lanes, usagesOf)
  const found = peers.map((peer, lane) => ({ peer, rounds: results[lane] ?? [] }))
  context.print(
    heading(`${whole(scopes)} jobs of 8 columns and ${HELD_PARTS} parts each in memory: what one job takes`),
  )
  context.print(
    table(
      HEADINGS,
      found.map((lane) => cellsOf(lane, scopes)),
    ),
  )
  context.print(
    'heap and resident: after a collection, less what there was before; resident is of all threads.',
  )
  context.print('counted: by the engine, against its limit. CPU: of the main thread.')
  printNoise(context, results.flat().flatMap(usagesOf))
  return found
}

const HEADINGS = [
  'contender',
  'heap bytes',
  'resident bytes',
  'counted bytes',
  'left of the heap',
  'to open µs',
  'CPU',
  'to close µs',
  'CPU',
  'delay p99 ms opening',
  'closing',
  'others',
]

function cellsOf({ peer, rounds }: MemoryLane, scopes: number): string[] {
  const median = (figure: (round: Held) => number | undefined): number => medianOver(rounds, figure)
  const each = (bytes: number | undefined): number | undefined => bytes && bytes / scopes
  return [
    peer,
    whole(median(({ heapBytes }) => each(heapBytes))),
    whole(median(({ residentBytes }) => each(residentBytes))),
    whole(median(({ countedBytes }) => each(countedBytes))),
    whole(median(({ leftBytes }) => each(leftBytes))),
    decimal(
      median(({ opening }) => each(opening.elapsedMs * 1_000)),
      1,
    ),
    decimal(
      median(({ opening }) => each(opening.mainThreadCpuUs)),
      1,
    ),
    decimal(
      median(({ closing }) => each(closing.elapsedMs * 1_000)),
      1,
    ),
    decimal(
      median(({ closing }) => each(closing.mainThreadCpuUs)),
      1,
    ),
    decimal(
      median(({ opening }) => opening.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ closing }) => closing.loopDelayP99Ms),
      2,
    ),
    decimal(
      median((round) => Math.max(...usagesOf(round).map(othersProcessorsIn))),
      2,
    ),
  ]
}

function usagesOf({ opening, closing }: Held): Usage[] {
  return [opening, closing]
}
