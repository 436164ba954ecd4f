/** `npm run bench -- postgres`: the PostgreSQL store beside the driver by hand. Sections in order, then the goals. */
import { runCommand } from './command.ts'
import {
  parsePostgresOptions,
  type PostgresBenchOptions,
  type PostgresSectionName,
} from './options/postgres.ts'
import type { Goal } from './report/goals.ts'
import type { Context } from './sections/context.ts'
import { compareCallers } from './sections/postgres/callers.ts'
import { measureFence } from './sections/postgres/fence.ts'
import { postgresGoalsOf, type MeasuredPostgres } from './sections/postgres/goals.ts'
import { compareInserts, compareWideRows } from './sections/postgres/inserts.ts'
import type { PostgresContext } from './sections/postgres/job.ts'
import { measureReadBack } from './sections/postgres/read-back.ts'
import { startServer } from './sections/postgres/server.ts'
import { compareOnSlowDisk } from './sections/postgres/slow-disk.ts'

const HOW_TAKEN = [
  'One server for all contenders, which run in a process and a database of their own, one after another, round by',
  'round, each behind a checkpoint; figures are medians over the rounds. Every table is looked at afterwards: so many',
  'rows, each once, with the checksum of what was to be written, in their order where there is one connection, or the',
  'run fails.',
  'Contenders by hand prepare their statements; Kysely and Drizzle are used as their documentation shows. Those that',
  'wait for each commit let the event loop turn meanwhile; tidemark yields after 256 kB of rows, and waits when its',
  'queue is full. Its receipts tell generated ids, which of the others only pg/unnest-ids asks for.',
  'ours is: rate of tidemark against the contender in the same round, median. µs/row: CPU of the thread that inserts;',
  'all: of all threads of the process; server: of all processes of the server. delay: of the event loop, as Node',
  'records it (1 ms timer, so idle is 1.1). to disk: from the call to the commit, every 100th row. peak: highest',
  'resident memory. others: processors kept busy by other processes meanwhile, without the server.',
]

export async function benchPostgres(args: readonly string[]): Promise<void> {
  await runCommand({
    name: 'postgres',
    options: parsePostgresOptions(args),
    howTaken: HOW_TAKEN,
    run: runSections,
  })
}

async function runSections(
  context: Context<PostgresBenchOptions>,
): Promise<{ sections: object; goals: readonly Goal[] }> {
  const { options } = context
  await using server = await startServer(options.server, options.folder)
  const described = await server.describe()
  context.print('\nThe server:')
  for (const [name, value] of Object.entries(described))
    context.print(`  ${name.padEnd(25)} ${value || '(none)'}`)
  const measured = await measure({ ...context, server })
  return { sections: { server: described, ...measured }, goals: postgresGoalsOf(measured) }
}

async function measure(context: PostgresContext): Promise<MeasuredPostgres> {
  const wants = (section: PostgresSectionName): boolean => context.options.sections.includes(section)
  return {
    ...(wants('inserts') && { inserts: await compareInserts(context) }),
    ...(wants('wide-rows') && { wideRows: await compareWideRows(context) }),
    ...(wants('fence') && { fence: await measureFence(context) }),
    ...(wants('callers') && { callers: await compareCallers(context, 'the disk as it is') }),
    ...(wants('slow-disk') && { slowDisk: await compareOnSlowDisk(context) }),
    ...(wants('read-back') && { readBack: await measureReadBack(context) }),
  }
}
