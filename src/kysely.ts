/** `tidemark/kysely`: the store on a Kysely instance that exists already, and the way to it in one call. */
import type { Kysely } from 'kysely'
import type { Tables } from './client.ts'
import { kysely } from './stores/kysely/index.ts'
import { open, type Tidemark } from './tidemark.ts'
import type { OpenOptions } from './writes/options.ts'

export { kysely } from './stores/kysely/index.ts'

/** What existing code goes on with, and what it can be given instead, one file at a time. */
export interface BatchAware<DB extends Tables> {
  /** In place of the instance that was taken over: its plugins, batched writes, leveled reads. */
  readonly kysely: Kysely<DB>
  /** The engine behind it, for everything that Kysely has no words for. */
  readonly tidemark: Tidemark<DB>
}

/**
 * Opens an engine on a Kysely instance and gives a Kysely to use in its place: inserts, updates and deletes are
 * committed in groups and resolve when they are, selects have the engine's default level (`eventual` unless
 * `reads.consistency` says otherwise), `transaction()` is `tidemark.transaction()`. From now on the instance itself
 * is the engine's: what is written past it is not in the line.
 *
 * @throws NotSupportedError for a database that is not SQLite, PostgreSQL, MySQL or MariaDB; as `open`
 */
export async function batchAware<DB extends Tables>(
  instance: Kysely<DB>,
  options?: OpenOptions,
): Promise<BatchAware<DB>> {
  const tidemark = await open<DB>(kysely(instance), options)
  const plugins = instance.getExecutor().plugins
  return { kysely: plugins.reduce((all, plugin) => all.withPlugin(plugin), tidemark.kysely), tidemark }
}
