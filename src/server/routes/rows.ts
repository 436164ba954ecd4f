/** `/v1/tables/{table}/rows`: write rows of any table and look one up. */
import type { FastifyInstance } from 'fastify'
import { LINE_TYPES, StreamedLines } from '../bodies/lines.ts'
import type { ServerContext } from '../context.ts'
import { takeRowLines } from '../row-lines.ts'
import { readRow } from '../row-read.ts'
import { rowOf } from '../row-values.ts'
import { answerWrite, type WriteRoute } from '../row-write.ts'
import {
  ackSchema,
  consistencyHeaders,
  listOf,
  objectOf,
  rowSchema,
  streamedSchema,
  writtenSchema,
} from '../schemas.ts'

const url = '/v1/tables/:table/rows'
const params = {
  type: 'object',
  properties: { table: { type: 'string', minLength: 1, maxLength: 200 } },
  required: ['table'],
}
const querystring = { type: 'object', additionalProperties: false, properties: { ack: ackSchema } }
const aRowOrMany = { anyOf: [rowSchema, { ...listOf(rowSchema), minItems: 1 }] }
const expect = {
  type: 'integer',
  minimum: 0,
  description: 'How many rows must be changed, else the write is refused',
}
const tags = ['rows']
const config = { scope: 'write', exactIntegers: true } as const

export function registerRows(app: FastifyInstance, context: ServerContext): void {
  app.post<WriteRoute>(
    url,
    {
      config: { ...config, lines: true },
      schema: {
        summary: 'Insert a row, a list of rows as one, or lines of rows of which each stands alone',
        tags,
        consumes: ['application/json', ...LINE_TYPES],
        params,
        querystring,
        headers: consistencyHeaders,
        body: { content: { 'application/json': { schema: aRowOrMany } } },
        response: {
          201: { anyOf: [writtenSchema, streamedSchema] },
          202: { anyOf: [writtenSchema, streamedSchema] },
        },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { table } = request.params
      await context.tables.requireWritable(table)
      if (body instanceof StreamedLines) return await takeRowLines(request, reply, body, context)
      const rows = rowsOf(body)
      return await answerWrite(request, reply, context, 201, (client) =>
        Array.isArray(body) ? client.insertMany(table, rows) : client.insert(table, rows[0] ?? {}),
      )
    },
  )

  app.put<WriteRoute>(
    url,
    {
      config,
      schema: {
        summary: 'Insert rows, or update those with the same primary key; a list is all or nothing',
        tags,
        params,
        querystring,
        headers: consistencyHeaders,
        body: aRowOrMany,
        response: { 200: writtenSchema, 202: writtenSchema },
      },
    },
    async (request, reply) => {
      const { table } = request.params
      await context.tables.requireWritable(table)
      const rows = rowsOf(request.body)
      return await answerWrite(request, reply, context, 200, (client) =>
        Array.isArray(request.body)
          ? client.atomic((group) => {
              for (const row of rows) group.upsert(table, row)
            })
          : client.upsert(table, rows[0] ?? {}),
      )
    },
  )

  app.patch<WriteRoute & { Body: { key: unknown; set: unknown; expect?: number } }>(
    url,
    {
      config,
      schema: {
        summary: 'Change the row with this key; more columns in `key` narrow it further',
        tags,
        params,
        querystring,
        headers: consistencyHeaders,
        body: {
          ...objectOf({ key: rowSchema, set: rowSchema, expect }, ['expect']),
          additionalProperties: false,
        },
        response: { 200: writtenSchema, 202: writtenSchema },
      },
    },
    async (request, reply) => {
      const { table } = request.params
      await context.tables.requireWritable(table)
      const key = rowOf(request.body.key, 'The key')
      const set = rowOf(request.body.set, '`set`')
      const guard = guardOf(request.body)
      return await answerWrite(request, reply, context, 200, (client) =>
        client.update(table, key, set, guard),
      )
    },
  )

  app.delete<WriteRoute & { Body: { key: unknown; expect?: number } }>(
    url,
    {
      config,
      schema: {
        summary: 'Delete the row with this key',
        tags,
        params,
        querystring,
        headers: consistencyHeaders,
        body: { ...objectOf({ key: rowSchema, expect }, ['expect']), additionalProperties: false },
        response: { 200: writtenSchema, 202: writtenSchema },
      },
    },
    async (request, reply) => {
      const { table } = request.params
      await context.tables.requireWritable(table)
      const key = rowOf(request.body.key, 'The key')
      const guard = guardOf(request.body)
      return await answerWrite(request, reply, context, 200, (client) => client.delete(table, key, guard))
    },
  )

  app.get<{ Params: { table: string }; Querystring: Record<string, unknown> }>(
    url,
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The row with this key',
        description:
          'The query string is the whole primary key. Without Tidemark-Consistency the row is shown as it is once everything is committed that the server has accepted; `pending` says that some of it is not.',
        tags,
        params,
        querystring: { type: 'object', additionalProperties: { type: 'string' } },
        headers: consistencyHeaders,
        response: {
          200: objectOf({ row: { anyOf: [rowSchema, { type: 'null' }] }, pending: { type: 'boolean' } }),
        },
      },
    },
    (request, reply) => {
      context.tables.requireReadable(request.params.table)
      return readRow(request, reply, context)
    },
  )
}

function rowsOf(body: unknown): Record<string, unknown>[] {
  if (!Array.isArray(body)) return [rowOf(body)]
  return body.map((row: unknown, index) => rowOf(row, `Row ${index + 1}`))
}

function guardOf({ expect: count }: { readonly expect?: number }): { expect?: number } {
  return count === undefined ? {} : { expect: count }
}
