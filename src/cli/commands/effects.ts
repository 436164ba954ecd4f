/** `tidemark effects`: follow-up work that waits, is tried again, or was given up; and what a person does about it. */
import { listDeadEffects, type DeadEffectFilter } from '../../effects/dead-effects.ts'
import { readKinds, readQueue } from '../../effects/stats.ts'
import { open } from '../../tidemark.ts'
import { ask, type BookkeepingSource } from '../../writes/bookkeeping.ts'
import { storeOf, type Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import { hasTable, lookInto } from '../look-into.ts'
import { print } from '../terminal/output.ts'
import { textOfRows, type RowFormat } from '../terminal/rows.ts'

const kindColumns = ['kind', 'queued', 'waiting', 'dead', 'oldestMs', 'isPaused'] as const
const deadColumns = ['id', 'kind', 'key', 'attempts', 'error', 'failedAt', 'committedAt', 'payload'] as const

export async function showEffectKinds(database: Database, format: RowFormat): Promise<void> {
  const rows = await lookInto(database, async (source) => {
    const host = asHost(source)
    const kinds = (await hasTable(source, 'tidemark_segments')) ? await readKinds(host) : []
    const queues = []
    for (const kind of kinds) queues.push(await readQueue(host, kind, Date.now()))
    return queues.map((queue) => kindColumns.map((column) => queue[column]))
  })
  await print(textOfRows(kindColumns, rows, format, process.stdout.columns))
}

export async function showDeadEffects(
  database: Database,
  kind: string | undefined,
  filter: DeadEffectFilter,
  format: RowFormat,
): Promise<void> {
  const dead = await lookInto(database, async (source) =>
    (await hasTable(source, 'tidemark_effects')) ? await listDeadEffects(asHost(source), kind, filter) : [],
  )
  const rows = dead.map((effect) => [
    effect.id,
    effect.kind,
    effect.key,
    effect.attempts,
    effect.error,
    effect.failedAt.toISOString(),
    effect.committedAt.toISOString(),
    JSON.stringify(effect.payload),
  ])
  await print(textOfRows(deadColumns, rows, format, process.stdout.columns))
}

/** @returns the exit code: failed when one of them was not dead */
export async function mendDeadEffects(
  database: Database,
  how: 'redrive' | 'discard',
  ids: readonly string[],
): Promise<number> {
  await lookInto(database, async () => undefined)
  await using db = await open(await storeOf(database))
  const done = await db.effects[how](ids)
  const mended = how === 'redrive' ? 'to be tried again' : 'discarded'
  for (const id of ids) process.stdout.write(`effect ${id}: ${done.includes(id) ? mended : 'is not dead'}\n`)
  return done.length === ids.length ? EXIT.ok : EXIT.failed
}

/** @throws CommandError for a kind that nobody has handled: there is nothing to pause */
export async function setPaused(database: Database, kind: string, how: 'pause' | 'resume'): Promise<void> {
  const isKnown = await lookInto(
    database,
    async (source) =>
      (await hasTable(source, 'tidemark_kinds')) &&
      (await ask(source, 'SELECT 1 FROM tidemark_kinds WHERE kind = ?', [kind])).length > 0,
  )
  if (!isKnown)
    throw new CommandError(
      EXIT.failed,
      `no effects of kind "${kind}" were ever handled in ${database.name}.`,
      'See `npx tidemark effects` for the kinds that there are.',
    )
  await using db = await open(await storeOf(database))
  await db.effects[how](kind)
  process.stdout.write(`effects of kind "${kind}" are ${how === 'pause' ? 'paused' : 'delivered again'}\n`)
}

function asHost(source: BookkeepingSource): Parameters<typeof readKinds>[0] {
  return { ask: (sql, parameters) => ask(source, sql, parameters) }
}
