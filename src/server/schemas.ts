/** The JSON schemas that several routes share; `/openapi.json` is made of them. */

export type Schema = Readonly<Record<string, unknown>>

const integer: Schema = { type: 'integer' }
const number: Schema = { type: 'number' }
const string: Schema = { type: 'string' }
const anObject: Schema = { type: 'object', additionalProperties: true }
const orNull = (type: string): Schema => ({ type: [type, 'null'] })

export function objectOf(properties: Schema, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required }
}

/** Null where there is nothing of it. */
function orNone(properties: Schema): Schema {
  return { ...objectOf(properties), type: ['object', 'null'] }
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items }
}

export function text(description: string): Schema {
  return { type: 'string', description }
}

export const problemSchema: Schema = {
  description: 'What went wrong, as RFC 9457 has it',
  content: {
    'application/problem+json': {
      schema: {
        ...objectOf({ type: string, title: string, status: integer, detail: string, code: string }),
        additionalProperties: true,
      },
    },
  },
}

export const readySchema: Schema = objectOf({ ready: { type: 'boolean' }, reasons: listOf(string) })

export const healthSchema: Schema = objectOf({
  status: {
    type: 'string',
    enum: ['ok', 'warn', 'red'],
    description: 'The worst of the problems',
  },
  problems: listOf(
    objectOf(
      {
        level: { type: 'string', enum: ['warn', 'red'] },
        kind: string,
        message: string,
        effects: { ...string, description: 'The kind of the effects that it is about' },
        sinceMs: number,
      },
      ['effects', 'sinceMs'],
    ),
  ),
})

export const levelSchema: Schema = {
  type: 'string',
  enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
}

export const entrySchema: Schema = objectOf({
  id: integer,
  ts: { ...integer, description: 'ms since 1970' },
  level: levelSchema,
  service: orNull('string'),
  message: string,
  attributes: { type: ['object', 'null'], additionalProperties: true },
})

export const positionSchema: Schema = objectOf({ writer: string, epoch: integer, seq: integer })

export const statsSchema: Schema = objectOf({
  version: string,
  startedAt: string,
  uptimeMs: number,
  writer: string,
  epoch: integer,
  queue: objectOf({
    operations: integer,
    bytes: integer,
    oldestMs: number,
    maxOperations: integer,
    maxBytes: integer,
    isFull: { type: 'boolean' },
  }),
  inFlight: integer,
  committed: objectOf({ operations: integer, batches: integer, operationsPerBatch: number }),
  rejected: integer,
  retries: integer,
  transactions: objectOf({ count: integer, lastMs: number, longestMs: number }),
  deadLetters: integer,
  eventLoop: objectOf({ p50Ms: number, p99Ms: number, maxMs: number }),
  storage: objectOf({ databaseBytes: integer, usedBytes: integer, freeBytes: integer, walBytes: integer }),
  memory: objectOf({ rssBytes: integer, heapUsedBytes: integer }),
  logs: orNone({
    newestId: integer,
    oldestMs: orNull('integer'),
    newestMs: orNull('integer'),
    unindexed: integer,
    retention: { type: ['object', 'null'], additionalProperties: true },
  }),
  effects: {
    ...orNone({ kinds: integer, undelivered: integer, oldestMs: number, dead: integer }),
    description: 'Of all kinds; null where the store keeps none',
  },
  alerts: listOf(objectOf({ kind: string, message: string, sinceMs: number })),
})

/** Of a history: where to go on. */
export const sinceSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    since: { type: 'integer', minimum: 0, description: 'Only samples after this, in ms since 1970.' },
  },
}

export const historySchema: Schema = objectOf({
  intervalMs: integer,
  columns: listOf(string),
  samples: listOf(listOf(number)),
})

export const letterSchema: Schema = objectOf({
  id: integer,
  table: orNull('string'),
  code: string,
  message: string,
  attempts: integer,
  rejectedAt: string,
  content: { description: 'The operations; or the text that could not be read' },
})

const handlerSchema: Schema = {
  ...objectOf({
    lanes: integer,
    running: { ...integer, description: 'Calls of the handler under way' },
    limit: { ...integer, description: 'How many there may be now' },
    isDown: { type: 'boolean', description: 'The target takes nothing' },
    isPaused: { type: 'boolean' },
    delivered: integer,
    failed: { ...integer, description: 'Attempts that failed' },
    dead: { ...integer, description: 'Effects that it gave up' },
    calls: integer,
    callMs: number,
    buckets: { ...listOf(integer), description: 'Calls by how long they took, as in /metrics' },
  }),
  description: 'Of this process, where it handles this kind',
}

export const effectKindSchema: Schema = objectOf(
  {
    kind: string,
    queued: { ...integer, description: 'In the outbox and not finished' },
    waiting: { ...integer, description: 'With rows of their own: they failed, are delayed or held back' },
    dead: integer,
    oldestMs: { ...number, description: 'For how long the oldest could have been delivered' },
    lagMs: {
      ...number,
      description:
        'How far the target is behind: of what was committed longer ago, it lacks only what is dead',
    },
    isPaused: { type: 'boolean' },
    lanes: { ...integer, description: '0: nobody has ever handled it' },
    held: { ...integer, description: 'Lanes that have a holder, in any process' },
    canRecover: { type: 'boolean', description: 'The server knows by which queries: POST …/recover' },
    handler: handlerSchema,
  },
  ['handler'],
)

export interface OfKind {
  readonly Params: { readonly kind: string }
}

export const kindParams: Schema = objectOf({ kind: { type: 'string', minLength: 1, maxLength: 600 } })

export const recoverySchema: Schema = objectOf({
  dryRun: { type: 'boolean' },
  missing: { ...listOf(string), description: 'Keys of rows without an effect; enqueued, but in a dry run' },
  underWay: { ...integer, description: 'Rows that only seemed so: their effects are on their way' },
  dead: { ...listOf(string), description: 'Keys of rows whose effect is dead: redrive it' },
  orphans: {
    ...listOf(string),
    description: 'Ids of dead effects whose row is gone; discarded, but in a dry run',
  },
  isMore: { type: 'boolean', description: 'There may be more: ask again' },
})

const keptEffect = {
  id: string,
  kind: string,
  key: orNull('string'),
  payload: { description: 'As it was enqueued' },
  version: integer,
  attempts: integer,
  committedAt: string,
}

export const deadEffectSchema: Schema = objectOf({
  ...keptEffect,
  error: { ...string, description: 'Of the last attempt' },
  failedAt: string,
})

export const waitingEffectSchema: Schema = objectOf({
  ...keptEffect,
  error: { ...orNull('string'), description: 'Of the last attempt; null: there was none' },
  failedAt: orNull('string'),
  dueAt: { ...orNull('string'), description: 'Not before; null: as soon as it can be' },
})

export const writtenSchema: Schema = objectOf(
  { position: positionSchema, bookmark: string, id: integer, changes: integer },
  ['id', 'changes'],
)

export const streamedSchema: Schema = objectOf(
  {
    accepted: { ...integer, description: 'Rows accepted' },
    lines: { ...integer, description: 'Lines of the body that were dealt with' },
    badCount: integer,
    bad: { ...listOf(objectOf({ line: integer, error: string })), description: 'The first ten' },
    rejected: {
      ...integer,
      description: 'Rows that the database refused, where the answer waited for the commit',
    },
    position: { ...positionSchema, description: 'Of the last row' },
    bookmark: string,
  },
  ['rejected', 'position', 'bookmark'],
)

export const rowSchema: Schema = {
  ...anObject,
  description:
    'Columns and their values. Blobs are {"base64":"…"}, times texts in UTC; integers beyond 2^53 may be texts.',
}

export const ackSchema: Schema = {
  type: 'string',
  enum: ['accepted', 'committed'],
  description:
    'What the answer says: that the write has its place in the queue (202), or that it is in the database.',
}

/** The headers by which a request says how fresh its answer must be. */
export const consistencyHeaders: Schema = {
  type: 'object',
  properties: {
    'tidemark-consistency': { type: 'string', enum: ['eventual', 'readAfterWrite', 'strong'] },
    'tidemark-bookmark': { type: 'string', description: 'One or several, with commas between them' },
    'tidemark-timeout-ms': { type: 'string', pattern: '^[0-9]{1,9}$' },
  },
}
