/** `tidemark search`, `tail`, `cleanup`: the log store from a terminal. */
import { openLogs, type Filter, type LogStore, type Retention, type StoredEntry } from '../../logs/index.ts'
import { StoreError } from '../../errors.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { databaseError } from '../database-error.ts'
import type { DatabaseFile } from '../database.ts'
import { CommandError, EXIT } from '../failure.ts'
import { openReadonly } from '../readonly-database.ts'
import { entryText, wantsColour, type EntryFormat } from '../terminal/entries.ts'
import { print } from '../terminal/output.ts'
import { count } from '../terminal/progress.ts'
import { sizeText } from '../units.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface LogTarget {
  readonly database: DatabaseFile
  readonly table: string
}

export interface Printing {
  readonly format: EntryFormat
}

/** Newest first, as many as asked for. */
export async function searchLogs(
  target: LogTarget,
  filter: Filter,
  { limit, before, format }: Printing & { readonly limit: number; readonly before: string | undefined },
): Promise<void> {
  await using logs = await openFor(target, filter)
  let left = limit
  let from = before
  do {
    const page = await logs.search({
      ...filter,
      limit: Math.min(left, 1_000),
      timeoutMs: 60_000,
      ...(from !== undefined && { before: from }),
    })
    await printEntries(page.entries, format)
    left -= page.entries.length
    from = page.next
  } while (left > 0 && from !== undefined)
  if (from !== undefined && process.stderr.isTTY)
    process.stderr.write(`tidemark: there are more: --before ${from}\n`)
}

/** The newest entries, oldest of them first, and then what comes. @returns the exit code */
export async function tailLogs(
  target: LogTarget,
  filter: Filter,
  { lines, follow, format }: Printing & { readonly lines: number; readonly follow: boolean },
): Promise<number> {
  using stop = stopOnSignals('stopping')
  await using logs = await openFor(target, filter)
  const { entries } =
    lines === 0 ? { entries: [] } : await logs.search({ ...filter, limit: lines, timeoutMs: 60_000 })
  // What is committed between the two is behind the newest entry that there was.
  const after = entries[0]?.id ?? (await logs.status()).newestId
  await printEntries(entries.toReversed(), format)
  if (!follow) return EXIT.ok
  for await (const entry of logs.subscribe({ when: 'committed', ...filter, after, signal: stop.signal }))
    await printEntries([entry], format)
  return stop.exitCode
}

export async function cleanLogs(target: LogTarget, policy: Retention): Promise<number> {
  using stop = stopOnSignals('stopping behind the entries that are being deleted')
  await using logs = await openExisting(target)
  try {
    const { deleted, usedBytes } = await logs.cleanup({ ...policy, signal: stop.signal })
    process.stdout.write(
      `${count(deleted)} entries deleted; ${sizeText(usedBytes)} of ${target.database.name} in use\n`,
    )
    return EXIT.ok
  } catch (error) {
    if (stop.signal.aborted) return stop.exitCode
    throw error
  }
}

/** @throws CommandError when there is no such database; it is not made */
async function openExisting({ database, table }: LogTarget): Promise<LogStore> {
  openReadonly(database.path).close()
  try {
    return await openLogs(sqlite(database.path), { table })
  } catch (error) {
    throw error instanceof StoreError ? databaseError(database, error) : error
  }
}

/** Who searches wants to find: whatever the index lacks is made up for first. */
async function openFor(target: LogTarget, filter: Filter): Promise<LogStore> {
  const logs = await openExisting(target)
  try {
    const { text, level, service, attributes } = filter
    if ([text, level, service, attributes].some((asked) => asked !== undefined)) {
      const { unindexed } = await logs.status()
      if (unindexed > 0) process.stderr.write(`tidemark: ${count(unindexed)} rows are being indexed, once\n`)
      await logs.whenIndexed()
    }
    return logs
  } catch (error) {
    await logs.close().catch(() => undefined)
    throw error
  }
}

async function printEntries(entries: Iterable<StoredEntry>, format: EntryFormat): Promise<void> {
  const isColoured = wantsColour(process.stdout, process.env)
  await print([...entries].map((entry) => entryText(entry, format, isColoured)))
}

/** `name=value` pairs of `--attr`. @throws CommandError */
export function attributesOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new CommandError(EXIT.usage, `--attr must be NAME=VALUE, not "${pair}".`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
