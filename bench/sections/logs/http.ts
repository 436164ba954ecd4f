/** One client on the loopback, against the same rows handed to the log store in a program. */
import { join } from 'node:path'
import type { LogJob } from '../../job.ts'
import type { Usage } from '../../measure.ts'
import { runContender } from '../../processes.ts'
import { decimal, megabytes, range, times, whole } from '../../report/format.ts'
import { heading, table } from '../../report/table.ts'
import { spreadOf } from '../../statistics.ts'
import { CLIENTS, LINES_PER_REQUEST } from '../../workloads/logs/sizes.ts'
import { medianOver, takeTurns } from '../reads/round.ts'
import { ratesOf, runIngest, type IngestLane } from './ingest.ts'
import { MOST_WARM, runLogJob, verifyRowCount, type LogContext } from './job.ts'

interface Round {
  readonly client: Usage
  readonly server: Usage
}

export interface Http {
  readonly rows: number
  readonly overHttp: readonly Round[]
  readonly inProcess: IngestLane
}

const ROWS_PER_COMMIT = 100

export async function measureHttp(context: LogContext): Promise<Http | undefined> {
  if (!context.isListed('tidemark')) return undefined
  const rows = context.options.entries
  const overHttp: Round[] = []
  const inProcess: IngestLane['rounds'][number][] = []
  const entrant = { peer: 'tidemark/storeRows', rowsPerCommit: ROWS_PER_COMMIT } as const
  const once = { ...context, options: { ...context.options, rounds: 1 } }
  for (let round = 0; round < context.options.rounds; round++) {
    const [lane] = await runIngest(once, 'in the process', [entrant])
    inProcess.push(...(lane?.rounds ?? []))
    const [rounds = []] = await takeTurns(
      once,
      'over HTTP',
      [{ title: 'client and server', run: () => runOverHttp(context) }],
      // Each is the other's company.
      () => [],
    )
    overHttp.push(...rounds)
  }
  const found = { rows, overHttp, inProcess: { ...entrant, rows, rounds: inProcess } }
  print(context, found)
  return found
}

async function runOverHttp(context: LogContext): Promise<Round> {
  const { entries, rowBytes, roundMs } = context.options
  const warmRows = Math.min(MOST_WARM, entries)
  let client: Usage | undefined
  const job: LogJob = {
    workload: 'logs/post',
    peer: 'tidemark',
    file: join(context.folder, 'none'),
    rows: entries,
    warmRows,
    rowBytes,
    roundMs,
    rowsPerCommit: ROWS_PER_COMMIT,
    rowsPerTick: 0,
    url: '',
  }
  const server = await runLogJob<Usage>(
    context,
    { workload: 'logs/serve', peer: 'tidemark', rowsPerCommit: ROWS_PER_COMMIT },
    {
      onPause: async (url) => void (client = await runContender<Usage>({ ...job, url })),
      check: (file) => verifyRowCount(file, warmRows + entries),
    },
  )
  if (client === undefined) throw new Error('the server told no address')
  return { client, server }
}

export function httpRates({ rows, overHttp }: Http): number[] {
  return overHttp.map(({ client }) => rows / (client.elapsedMs / 1_000))
}

/** Against the storing in the same round. */
export function httpShare(http: Http): number {
  const alone = ratesOf(http.inProcess)
  return spreadOf(httpRates(http).map((rate, round) => rate / (alone[round] ?? NaN))).median
}

function print(context: LogContext, http: Http): void {
  const { rows, overHttp, inProcess } = http
  context.print(
    heading(
      `Over HTTP: ${whole(LINES_PER_REQUEST)} lines a request, ${CLIENTS} under way, one client on the loopback`,
    ),
  )
  const line = (
    name: string,
    rates: readonly number[],
    usages: readonly Usage[],
    share: string,
  ): string[] => [
    name,
    whole(spreadOf(rates).median),
    range(spreadOf(rates)),
    share,
    decimal(medianOver(usages, ({ mainThreadCpuUs }) => mainThreadCpuUs) / rows, 2),
    decimal(medianOver(usages, ({ processCpuUs }) => processCpuUs) / rows, 2),
    decimal(
      medianOver(usages, ({ loopDelayP99Ms }) => loopDelayP99Ms),
      2,
    ),
    megabytes(medianOver(usages, ({ peakBytes }) => peakBytes)),
  ]
  const rates = httpRates(http)
  context.print(
    table(
      ['', 'rows/s', 'min – max', 'of in process', 'µs/row main', 'all threads', 'delay p99 ms', 'peak MB'],
      [
        line(
          'in the process, storeRows',
          ratesOf(inProcess),
          inProcess.rounds.map(({ usage }) => usage),
          '',
        ),
        line(
          'over HTTP, the server',
          rates,
          overHttp.map(({ server }) => server),
          times(httpShare(http)),
        ),
        line(
          'its client',
          rates,
          overHttp.map(({ client }) => client),
          '',
        ),
      ],
    ),
  )
}
