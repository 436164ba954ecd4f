/** What an effect adds to the write that carries it, by turns with writes that carry none. */
import { DatabaseSync } from 'node:sqlite'
import { queryAt } from '../../../test/support/servers/postgres.ts'
import { TIDEMARKS, type TidemarkName } from '../../peers/effects/index.ts'
import { decimal, megabytes, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { medianOf, spreadOf } from '../../statistics.ts'
import type { PairOfTurns, Written } from '../../workloads/effects/writes.ts'
import { takeTurns } from '../reads/round.ts'
import { runIn, type EffectsContext } from './job.ts'

/** Each turn begins with a collection of everything, which leaves the young generation small: it must be a small part. */
const ROWS_PER_TURN: Readonly<Record<TidemarkName, number>> = {
  'tidemark/sqlite': 250_000,
  'tidemark/sqlite-full': 250_000,
  'tidemark/postgres': 100_000,
}
const TABLES: Readonly<Record<'file' | 'postgres', string>> = {
  file: 'CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
  postgres: 'CREATE TABLE items (id bigint PRIMARY KEY, text text NOT NULL)',
}

export interface WritesLane {
  readonly peer: TidemarkName
  readonly rowsPerTurn: number
  readonly rounds: readonly Written[]
}

export async function compareWrites(context: EffectsContext): Promise<readonly WritesLane[]> {
  const lanes = TIDEMARKS.filter(context.isListed).map((peer) => ({
    peer,
    title: peer,
    run: () => runOnce(context, peer),
  }))
  // A server is its contender's company, and a part of both turns.
  const results = await takeTurns(context, 'writes', lanes, () => [])
  const found = lanes.map(({ peer }, lane) => ({
    peer,
    rowsPerTurn: ROWS_PER_TURN[peer],
    rounds: results[lane] ?? [],
  }))
  print(context, found)
  return found
}

/** Rate with effects against the rate without: the median over all pairs of turns. */
export function carryingRatio(
  lanes: readonly WritesLane[] | undefined,
  peer: TidemarkName,
): number | undefined {
  const lane = lanes?.find((one) => one.peer === peer)
  return lane && medianOf(lane.rounds.flatMap(ratiosOf))
}

function ratiosOf({ pairs }: Written): number[] {
  return pairs.map(({ plain, carrying }) => plain.elapsedMs / carrying.elapsedMs)
}

async function runOnce(context: EffectsContext, peer: TidemarkName): Promise<Written> {
  const isFile = peer !== 'tidemark/postgres'
  const create = TABLES[isFile ? 'file' : 'postgres']
  return await context.places.of(peer).with([create], async (address) => {
    const details = { workload: 'effects/writes', peer, rows: ROWS_PER_TURN[peer] } as const
    const written = await runIn<Written>(context, address, details)
    const rows = isFile ? countInFile(address) : await countOnServer(address)
    if (rows !== written.rows) throw new Error(`there should be ${written.rows} rows, there are ${rows}`)
    if (written.effects !== rows / 2)
      throw new Error(`there should be ${rows / 2} effects, there are ${written.effects}`)
    return written
  })
}

const COUNT = 'SELECT count(*) AS rows FROM items'

function countInFile(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true })
  const found = db.prepare(COUNT).get()
  db.close()
  return Number(found?.['rows'])
}

async function countOnServer(url: string): Promise<number> {
  const [found] = await queryAt(url, COUNT)
  return Number(found?.['rows'])
}

function print(context: EffectsContext, lanes: readonly WritesLane[]): void {
  context.print(
    heading(
      `Inserts of { id, text } with one effect each, by turns with inserts without; rounds: ${context.options.rounds}`,
    ),
  )
  context.print(
    table(
      [
        'store',
        'rows a turn',
        'without, rows/s',
        'with',
        'ratio',
        'of rounds, min – max',
        'pairs',
        'µs/row main without',
        'with',
        'delay p99 ms without',
        'with',
        'peak MB',
      ],
      lanes.map(cellsOf),
    ),
  )
}

function cellsOf(lane: WritesLane): string[] {
  const { peer, rowsPerTurn, rounds } = lane
  const pairs = rounds.flatMap((round) => round.pairs)
  const median = (figure: (pair: PairOfTurns) => number): number => medianOf(pairs.map(figure))
  const ofRounds = spreadOf(rounds.map((round) => medianOf(ratiosOf(round))))
  const both = ['plain', 'carrying'] as const
  return [
    peer,
    whole(rowsPerTurn),
    ...both.map((kind) => whole(median((pair) => rowsPerTurn / (pair[kind].elapsedMs / 1_000)))),
    times(carryingRatio([lane], peer)),
    `${decimal(ofRounds.min, 2)} – ${decimal(ofRounds.max, 2)}`,
    whole(pairs.length),
    ...both.map((kind) =>
      decimal(
        median((pair) => pair[kind].mainThreadCpuUs / rowsPerTurn),
        2,
      ),
    ),
    ...both.map((kind) =>
      decimal(
        median((pair) => pair[kind].loopDelayP99Ms),
        2,
      ),
    ),
    megabytes(median(({ carrying }) => carrying.peakBytes)),
  ]
}
