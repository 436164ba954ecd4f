/** How soon a row can be read that was just written: by its writer, from a replica too, and by another process. */
import { decimal, whole } from '../../report/format.ts'
import { Standby } from '../../../test/support/servers/standby.ts'
import { heading, table } from '../../report/table.ts'
import type { Percentiles } from '../../statistics.ts'
import type { ReadBack } from '../../workloads/postgres/read-back.ts'
import type { Answered } from '../../workloads/postgres/reader.ts'
import { createTableSql } from '../../workloads/postgres/rows.ts'
import { READ_EVERY, WRITE_RATE } from '../../workloads/postgres/sizes.ts'
import { medianOver, takeTurns } from '../reads/round.ts'
import { runIn, runMeasured, type PostgresContext } from './job.ts'

const WAYS = {
  'the same engine': readInOwnEngine,
  'an engine in another process': readInOtherProcess,
  'the same engine, from a replica': readFromReplica,
} as const

export interface ReadBackLane {
  readonly way: keyof typeof WAYS
  readonly rounds: readonly ReadBack[]
}

export async function measureReadBack(
  context: PostgresContext,
): Promise<readonly ReadBackLane[] | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const ways = (Object.keys(WAYS) as (keyof typeof WAYS)[]).filter(
    (way) => WAYS[way] !== readFromReplica || context.server.own !== undefined,
  )
  const lanes = ways.map((way) => ({ title: way, run: () => WAYS[way](context) }))
  // Servers and processes are each other's company.
  const results = await takeTurns(context, 'read back', lanes, () => [])
  const found = ways.map((way, lane) => ({ way, rounds: results[lane] ?? [] }))
  print(context, found)
  return found
}

const JOB = { workload: 'postgres/read-back', peer: 'tidemark' } as const

function readInOwnEngine(context: PostgresContext): Promise<ReadBack> {
  return runMeasured<ReadBack>(context, JOB, () => undefined)
}

/** The reader is there first, and ends when the writer has. */
function readInOtherProcess(context: PostgresContext): Promise<ReadBack> {
  return context.server.inDatabase([createTableSql('logs')], async (url) => {
    let found: ReadBack | undefined
    const steps = { written: () => undefined }
    await runIn<Answered>(
      context,
      url,
      { workload: 'postgres/reader', peer: 'tidemark' },
      {
        ...steps,
        onPause: async (port) =>
          void (found = await runIn<ReadBack>(context, url, { ...JOB, readerPort: Number(port) }, steps)),
      },
    )
    if (found === undefined) throw new Error('the reader told no port')
    return found
  })
}

/** Which nothing else is asked of: it is there for this round alone. */
async function readFromReplica(context: PostgresContext): Promise<ReadBack> {
  const { own } = context.server
  if (own === undefined) throw new Error('a server that is there already is given no replica')
  await using standby = await Standby.of(own, { name: 'tidemark_bench' })
  return await context.server.inDatabase([createTableSql('logs')], async (url) => {
    await standby.whenCaughtUp()
    const replica = standby.url(new URL(url).pathname.slice(1))
    return await runIn<ReadBack>(context, url, { ...JOB, replica }, { written: () => undefined })
  })
}

function print(context: PostgresContext, lanes: readonly ReadBackLane[]): void {
  const title = `A row written and read back, at ${whole(WRITE_RATE)} rows a second, every ${READ_EVERY}th: milliseconds`
  context.print(heading(title))
  const cells = (rounds: readonly ReadBack[], figure: (round: ReadBack) => Percentiles | undefined) =>
    (['p50', 'p99'] as const).map((percentile) =>
      decimal(
        medianOver(rounds, (round) => figure(round)?.[percentile]),
        2,
      ),
    )
  context.print(
    table(
      ['read by', 'from the call p50', 'p99', 'from the commit p50', 'p99', 'samples'],
      lanes.map(({ way, rounds }) => [
        way,
        ...cells(rounds, ({ fromCallMs }) => fromCallMs),
        ...cells(rounds, ({ fromCommitMs }) => fromCommitMs),
        whole(rounds.reduce((sum, { fromCallMs }) => sum + fromCallMs.samples, 0)),
      ]),
    ),
  )
}
