/** The JSON schemas that requests are checked with, and `/openapi.json` is made of. */
export type Schema = Readonly<Record<string, unknown>>

export function objectOf(properties: Schema, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

export const string: Schema = { type: 'string' }
export const integer: Schema = { type: 'integer' }
export const number: Schema = { type: 'number' }
export const boolean: Schema = { type: 'boolean' }
export const orNull = (type: string): Schema => ({ type: [type, 'null'] })
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
const stepState: Schema = { type: 'string', enum: ['waiting', 'done', 'failed'] }
const sourceState: Schema = { type: 'string', enum: ['waiting', 'extracted', 'failed', 'leaving'] }

export const problem: Schema = {
  description: 'What went wrong, as RFC 9457 has it',
  content: {
    'application/problem+json': {
      schema: objectOf(
        { type: string, title: string, status: integer, detail: string, code: string, hint: string },
        ['hint'],
      ),
    },
  },
}

export const projectParams: Schema = objectOf({
  project_id: { type: 'integer', minimum: 1, maximum: 2 ** 53 - 1 },
})
export const sourceParams: Schema = objectOf({ source_id: { type: 'string', pattern: '^[0-9a-f]{24}$' } })

/** How fresh an answer must be. */
export const freshness = {
  consistency: {
    type: 'string',
    enum: ['eventual', 'readAfterWrite', 'strong'],
    default: 'eventual',
    description:
      'eventual: at once, perhaps from the cache. readAfterWrite: all that the bookmark names. strong: and what follows from it is done',
  },
  after: { type: 'string', maxLength: 2_000, description: 'The bookmark of an answer' },
  timeoutMs: {
    type: 'integer',
    minimum: 0,
    maximum: 60_000,
    default: 15_000,
    description: 'How long the answer may wait; then 503',
  },
} as const

export const limit = (most: number, usual: number): Schema => ({
  type: 'integer',
  minimum: 1,
  maximum: most,
  default: usual,
})

export const extraction: Schema = objectOf({
  id: string,
  uri: string,
  title: string,
  summary: orNull('string'),
  embedding_id: orNull('string'),
  embed_state: stepState,
  llm_state: stepState,
  extracted_ms: integer,
})
export const entity: Schema = objectOf({
  extraction: string,
  kind: string,
  name: string,
  count: integer,
  origin: { type: 'string', enum: ['rules', 'llm'] },
})
const step: Schema = objectOf({ state: stepState, ms: orNull('integer') })
export const status: Schema = objectOf({
  id: string,
  project: integer,
  uri: string,
  state: sourceState,
  problem: orNull('string'),
  submitted_ms: integer,
  steps: {
    ...objectOf({ scrape: step, embed: step, llm: step }),
    description: 'How long each took, in ms since what it follows from: the submission, or the scrape',
  },
  totalMs: {
    ...orNull('integer'),
    description: 'From the submission to the last step; null: it is not done',
  },
  entities: integer,
})
export const deadLetter: Schema = objectOf({
  id: string,
  kind: string,
  key: orNull('string'),
  payload: {},
  attempts: integer,
  error: string,
  committedAt: string,
  failedAt: string,
})
const keys = listOf(string)
export const report: Schema = objectOf({
  dryRun: boolean,
  postgres: objectOf({
    sourcesWithoutScrape: keys,
    extractionsWithoutEmbed: keys,
    extractionsWithoutRequest: keys,
    underWay: integer,
    givenUp: keys,
  }),
  vectors: objectOf({ rowsWithoutVectors: keys, vectorsWithoutRows: keys }),
  redis: objectOf({ oldListings: keys }),
  enqueued: integer,
  isMore: boolean,
})
export const health: Schema = objectOf({
  status: { type: 'string', enum: ['ok', 'red'] },
  lookedAt: orNull('string'),
  alerts: listOf(
    objectOf({
      name: string,
      message: string,
      keys,
      projects: listOf(integer),
      sinceMs: integer,
      repair: string,
    }),
  ),
  llm: { type: 'object', additionalProperties: integer },
})
