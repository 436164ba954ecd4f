/** `POST /v1/query`: one SELECT of a client's own, run where it can change and hold up nothing. */
import type { FastifyInstance } from 'fastify'
import type { Value } from '../../contracts/values.ts'
import { askedBy } from '../consistency.ts'
import { hangUpOf } from '../hang-up.ts'
import type { ServerContext } from '../context.ts'
import { RequestError } from '../request-error.ts'
import { valueOf } from '../row-values.ts'
import { consistencyHeaders, listOf, objectOf } from '../schemas.ts'

interface QueryBody {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly maxRows: number
}

const defaultRows = 1_000
const maxSqlLength = 100_000

export function registerQuery(app: FastifyInstance, { db, sql: runner, limits }: ServerContext): void {
  if (!runner) return
  app.post<{ Body: QueryBody }>(
    '/v1/query',
    {
      config: { scope: 'read', exactIntegers: true },
      schema: {
        summary: 'Run one SELECT',
        description:
          'It is run by a process that can only read, and is killed when it takes too long. Rows are lists of values in the order of `columns`.',
        tags: ['query'],
        headers: consistencyHeaders,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['sql'],
          properties: {
            sql: { type: 'string', minLength: 1, maxLength: maxSqlLength },
            parameters: {
              type: 'array',
              maxItems: 1_000,
              default: [],
              description: 'Values for the ? of the statement',
            },
            maxRows: {
              type: 'integer',
              minimum: 1,
              maximum: runner.maxRows,
              default: Math.min(defaultRows, runner.maxRows),
            },
          },
        },
        response: {
          200: objectOf({
            columns: listOf({ type: 'string' }),
            rows: listOf(listOf({})),
            truncated: {
              type: 'boolean',
              description: 'There are more rows, or they would have been too large',
            },
          }),
        },
      },
    },
    async (request, reply) => {
      const { sql, parameters, maxRows } = request.body
      if (sql.includes('\0')) throw new RequestError('INVALID_BODY', '`sql` holds a NUL.')
      if (!sql.isWellFormed()) throw new RequestError('INVALID_BODY', '`sql` holds half a surrogate pair.')
      const values = parameters.map((value, index) => parameterOf(value, `parameter ${index + 1}`))
      const { bookmarks, ...asked } = askedBy(request, limits.waitMs)
      const signal = hangUpOf(reply)
      const session = db.session(bookmarks)
      // The process begins its snapshot after this one, so that it sees at least as much.
      await session.query({ sql: 'SELECT 1', parameters: [] }, { ...asked, signal })
      const answer = await runner.run({ sql, parameters: values, maxRows }, signal)
      return await reply
        .header('tidemark-bookmark', session.bookmark)
        .type('application/json; charset=utf-8')
        .send(
          `{"columns":${JSON.stringify(answer.columns)},"rows":${answer.rows},"truncated":${answer.isTruncated}}`,
        )
    },
  )
}

function parameterOf(given: unknown, name: string): Value {
  const value = valueOf(given, name)
  switch (typeof value) {
    case 'boolean':
      return value ? 1n : 0n
    case 'number':
      // SQLite keeps a float a float, and 5.0 is not what a client means by 5.
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'bigint':
      return value
    case 'string':
      if (value.isWellFormed()) return value
      throw new RequestError('INVALID_BODY', `${name} holds half a surrogate pair.`)
    default:
      if (value === null || value instanceof Uint8Array) return value
      throw new RequestError('INVALID_BODY', `${name} is an object; a blob is {"base64":"…"}.`)
  }
}
