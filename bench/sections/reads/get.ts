/** `db.get` beside a prepared statement on the main thread: idle, and between the chunks of a writer at full rate. */

import type { ReadPeerName } from '../../peers/reads/index.ts'
import { decimal, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import type { Get, GetTimes, KeyKind } from '../../workloads/reads/get.ts'
import { othersProcessorsIn } from '../noise.ts'
import { percentileCells } from './read-after-write.ts'
import { medianOver, printNoise, runRead, takeTurns, type ReadContext } from './round.ts'

const PEERS: readonly ReadPeerName[] = ['tidemark', 'better-sqlite3', 'node:sqlite']
export const KEY_KINDS: readonly KeyKind[] = ['committed', 'pending', 'missing']
export const STATES = ['idle', 'fullRate'] as const
const STATE_NAMES = { idle: 'idle', fullRate: 'full rate' } as const

export interface GetLane {
  readonly peer: ReadPeerName
  readonly rounds: readonly Get[]
}

export async function compareGet(context: ReadContext): Promise<readonly GetLane[]> {
  const peers = PEERS.filter(context.isListed)
  const lanes = peers.map((peer) => ({
    title: peer,
    run: () => runRead<Get>(context, { workload: 'reads/get', peer }, (result) => result),
  }))
  const results = await takeTurns(context, 'get', lanes, (result) => usagesOf(result))
  const found = peers.map((peer, index) => ({ peer, rounds: results[index] ?? [] }))
  const lines = found.flatMap((lane) =>
    STATES.flatMap((state) =>
      KEY_KINDS.filter((kind) => lane.rounds[0]?.[state].us[kind]).map((kind) => lineOf(lane, state, kind)),
    ),
  )
  context.print(heading('A row by its key: microseconds from the call to the answer'))
  const clockUs = medianOver(results.flat(), (round) => round.clockUs.p50)
  context.print(
    `The clock is in every figure; alone it reads ${decimal(clockUs, 2)}. pending: accepted, not yet committed.`,
  )
  context.print(table(HEADINGS, lines))
  printNoise(context, results.flat().flatMap(usagesOf))
  return found
}

const HEADINGS = [
  'contender',
  'writers',
  'key',
  'p50',
  'p99',
  'p99.9',
  'samples',
  'rows/s',
  'delay p99 ms',
  'others',
]

function lineOf({ peer, rounds }: GetLane, state: (typeof STATES)[number], kind: KeyKind): string[] {
  const median = (figure: (times: GetTimes) => number | undefined): number =>
    medianOver(rounds, (round) => figure(round[state]))
  return [
    peer,
    STATE_NAMES[state],
    kind,
    ...percentileCells((figure) => median(({ us }) => us[kind] && figure(us[kind])), 2),
    whole(median(({ us }) => us[kind]?.samples)),
    state === 'idle' ? '' : whole(median(({ rowsPerSecond }) => rowsPerSecond)),
    decimal(
      median(({ usage }) => usage.loopDelayP99Ms),
      2,
    ),
    decimal(
      median(({ usage }) => othersProcessorsIn(usage)),
      2,
    ),
  ]
}

function usagesOf({ idle, fullRate }: Get) {
  return [idle.usage, fullRate.usage]
}
