/** `tidemark effects`: follow-up work that waits, is tried again, or was given up; and what a person does about it. */
import {
  listDeadEffects,
  listWaitingEffects,
  type DeadEffect,
  type DeadEffectFilter,
  type WaitingEffect,
} from '../../effects/dead-effects.ts'
import { readQueues } from '../../effects/stats.ts'
import { open } from '../../tidemark.ts'
import { ask, type BookkeepingSource } from '../../writes/bookkeeping.ts'
import { storeOf, type Database } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import { hasTable, lookInto } from '../look-into.ts'
import { queriesOf } from '../recovery-queries.ts'
import { print } from '../terminal/output.ts'
import { textOfRows, type RowFormat } from '../terminal/rows.ts'

const kindColumns = [
  'kind',
  'queued',
  'waiting',
  'dead',
  'oldestMs',
  'lagMs',
  'lanes',
  'held',
  'isPaused',
] as const
const deadColumns = ['id', 'kind', 'key', 'attempts', 'error', 'failedAt', 'committedAt', 'payload'] as const
const waitingColumns = ['id', 'kind', 'key', 'attempts', 'error', 'dueAt', 'committedAt', 'payload'] as const

export async function showEffectKinds(database: Database, format: RowFormat): Promise<void> {
  const rows = await lookInto(database, async (source) => {
    if (!(await hasTable(source, 'tidemark_segments'))) return []
    const { queues } = await readQueues(asHost(source), Date.now())
    return queues.map((queue) => kindColumns.map((column) => queue[column]))
  })
  await print(textOfRows(kindColumns, rows, format, process.stdout.columns))
}

export async function showKeptEffects(
  database: Database,
  which: 'dead' | 'waiting',
  kind: string | undefined,
  filter: DeadEffectFilter,
  format: RowFormat,
): Promise<void> {
  const list = which === 'dead' ? listDeadEffects : listWaitingEffects
  const columns = which === 'dead' ? deadColumns : waitingColumns
  const kept: readonly (DeadEffect | WaitingEffect)[] = await lookInto(database, async (source) =>
    (await hasTable(source, 'tidemark_effects')) ? await list(asHost(source), kind, filter) : [],
  )
  const rows = kept.map((effect) => {
    const cells: Readonly<Record<string, unknown>> = { ...effect, payload: JSON.stringify(effect.payload) }
    return columns.map((column) => {
      const cell = cells[column]
      return cell instanceof Date ? cell.toISOString() : cell
    })
  })
  await print(textOfRows(columns, rows, format, process.stdout.columns))
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

export interface RecoverSettings {
  readonly missing: string | undefined
  readonly existing: string | undefined
  readonly apply: boolean
  readonly limit: number
}

/**
 * Tells which rows have no effect and which dead effects no row, and mends it where it is told to.
 *
 * @throws CommandError where neither query was given
 */
export async function recoverEffects(
  database: Database,
  kind: string,
  { missing, existing, apply, limit }: RecoverSettings,
): Promise<void> {
  if (missing === undefined && existing === undefined)
    throw new CommandError(
      EXIT.usage,
      'nothing says which rows should have an effect.',
      'Give a SELECT of their `key` and `payload`: --missing "SELECT id AS key FROM chunks WHERE vector IS NULL"',
    )
  await lookInto(database, async () => undefined)
  await using db = await open(await storeOf(database))
  const found = await db.effects.recover(kind, {
    ...queriesOf({ missing, existing }),
    dryRun: !apply,
    limit,
  })
  const lines = [
    `rows without an effect: ${listed(found.missing)}${apply && found.missing.length > 0 ? '; enqueued' : ''}`,
    `rows whose effect is on its way: ${found.underWay}`,
    `rows whose effect is dead: ${listed(found.dead)}`,
    `dead effects without a row: ${listed(found.orphans)}${apply && found.orphans.length > 0 ? '; discarded' : ''}`,
    ...(found.isMore ? ['there may be more: run it again, or with a higher --limit'] : []),
    ...(apply ? [] : ['nothing was changed: --apply does it']),
  ]
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

const listedAtMost = 10

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const some = names.slice(0, listedAtMost).join(', ')
  return `${names.length} (${some}${names.length > listedAtMost ? ', …' : ''})`
}

function asHost(source: BookkeepingSource): Parameters<typeof readQueues>[0] {
  return { ask: (sql, parameters) => ask(source, sql, parameters) }
}
