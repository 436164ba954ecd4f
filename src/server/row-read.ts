/** One row by its key: with what is pending laid over it, or at the level that was asked for. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { rowJson } from '../row-json.ts'
import { askedBy } from './consistency.ts'
import { hangUpOf } from './hang-up.ts'
import type { ServerContext } from './context.ts'
import { keyOfQuery } from './row-values.ts'

export async function readRow(
  request: FastifyRequest<{ Params: { table: string }; Querystring: Record<string, unknown> }>,
  reply: FastifyReply,
  { db, limits, tables }: ServerContext,
): Promise<FastifyReply> {
  const { table } = request.params
  const key = keyOfQuery(request.query)
  const { bookmarks, ...asked } = askedBy(request, limits.waitMs)
  const session = db.session(bookmarks)
  const options = { ...asked, signal: hangUpOf(reply) }
  const found = await tables.known(async () =>
    options.consistency === undefined
      ? await session.get(table, key, options)
      : { row: await rowAt(), pending: db.pending(table, key) !== undefined },
  )
  return await reply
    .header('tidemark-bookmark', session.bookmark)
    .send({ row: found.row === undefined ? null : rowJson(found.row), pending: found.pending })

  async function rowAt(): Promise<Record<string, unknown> | undefined> {
    // Also checks that there is such a table, and that this is its key.
    session.pending(table, key)
    let query = session.read(options).selectFrom(table).selectAll()
    for (const [column, value] of Object.entries(key)) query = query.where(column, '=', value)
    return await query.executeTakeFirst()
  }
}
