/** The main comparison: sustained committed rows a second, and what they cost the process that writes. */

import { decimal, megabytes, range, times, whole } from '../report/format.ts'
import { heading, table } from '../report/table.ts'
import { noiseIn } from './noise.ts'
import { ratioOver, race, spreadOver, type Entrant, type Standing } from './race.ts'
import type { Context } from './context.ts'
import type { StatementSizes } from './statement-size.ts'
import { PEER_NAMES, type PeerName } from '../peers/index.ts'

const LARGE_ROW_PEERS: readonly PeerName[] = [
  'tidemark',
  'tidemark/greedy',
  'better-sqlite3/multi-row',
  'better-sqlite3/rows',
]
export const LARGE_ROW_BYTES = 4_096

export async function compareThroughput(
  context: Context,
  sizes: StatementSizes,
): Promise<readonly Standing[]> {
  const { rows, rowBytes, rounds } = context.options
  const title = `Sustained writes, rows of ${rowBytes} bytes, rounds: ${rounds}`
  const standings = await race(context, entrants(context, PEER_NAMES, sizes), {
    rows,
    rowBytes,
    rounds,
    title: 'sustained writes',
  })
  printStandings(context, title, standings)
  return standings
}

export async function compareLargeRows(
  context: Context,
  sizes: StatementSizes,
): Promise<readonly Standing[]> {
  const rows = Math.ceil(context.options.rows / 8)
  const rounds = Math.min(context.options.quick ? 2 : 3, context.options.rounds)
  const title = `Sustained writes, rows of ${LARGE_ROW_BYTES} bytes, rounds: ${rounds}`
  const standings = await race(context, entrants(context, LARGE_ROW_PEERS, sizes), {
    rows,
    rowBytes: LARGE_ROW_BYTES,
    rounds,
    title: 'large rows',
  })
  printStandings(context, title, standings)
  return standings
}

function entrants(context: Context, peers: readonly PeerName[], sizes: StatementSizes): readonly Entrant[] {
  return peers.filter(context.isListed).map((peer) => ({ peer, rowsPerStatement: sizes.bestFor(peer) }))
}

function printStandings(context: Context, title: string, standings: readonly Standing[]): void {
  context.print(heading(title))
  context.print(
    table(
      RATE_HEADINGS,
      standings.map((standing) => rateLine(standing, standings)),
    ),
  )
  context.print('')
  context.print(table(COST_HEADINGS, standings.map(costLine)))
  const noise = noiseIn(standings.flatMap(({ rounds }) => rounds))
  if (noise) context.print(`\n${noise}`)
}

const RATE_HEADINGS = [
  'contender',
  'SQLite',
  'rows',
  'rows/s',
  'min – max',
  'ours is',
  'min – max',
  'commits',
  'locks/1k',
  'log MB',
  'left',
]

function rateLine(standing: Standing, standings: readonly Standing[]): readonly string[] {
  const ours = standings.find(({ peer }) => peer === 'tidemark')
  const rate = spreadOver(standing, (round) => round.rowsPerSecond)
  const commits = spreadOver(standing, (round) => round.commits).median
  const ratio = ours && ours !== standing ? ratioOver(ours, standing) : undefined
  return [
    standing.peer,
    standing.sqliteVersion,
    whole(standing.rows),
    whole(rate.median),
    range(rate),
    ratio ? times(ratio.median) : '',
    ratio ? `${decimal(ratio.min, 2)} – ${decimal(ratio.max, 2)}` : '',
    whole(commits),
    decimal((commits / standing.rows) * 1000, 2),
    megabytes(spreadOver(standing, (round) => round.logBytes).median),
    whole(spreadOver(standing, (round) => round.logPagesLeft).median),
  ]
}

const COST_HEADINGS = [
  'contender',
  'µs/row main',
  'all threads',
  'delay p99 ms',
  'max',
  'to disk p50 ms',
  'p99',
  'peak MB',
  'grew',
  'others',
]

function costLine(standing: Standing): readonly string[] {
  const median = (figure: Parameters<typeof spreadOver>[1]): number => spreadOver(standing, figure).median
  return [
    standing.peer,
    decimal(
      median((round) => round.mainThreadUsPerRow),
      2,
    ),
    decimal(
      median((round) => round.processUsPerRow),
      2,
    ),
    decimal(
      median((round) => round.loopDelayP99Ms),
      2,
    ),
    decimal(
      median((round) => round.loopDelayMaxMs),
      1,
    ),
    decimal(
      median((round) => round.acceptedToCommittedMs?.p50),
      2,
    ),
    decimal(
      median((round) => round.acceptedToCommittedMs?.p99),
      2,
    ),
    megabytes(median((round) => round.peakBytes)),
    megabytes(median((round) => round.growthBytes)),
    decimal(
      median((round) => round.othersProcessors),
      2,
    ),
  ]
}
