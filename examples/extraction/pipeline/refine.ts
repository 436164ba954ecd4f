/**
 * Does the effects of `llm`: one request an extraction, under the effect's own id, so that an attempt finds the reply of the one
 * before it. What the model refuses says that fewer should ask at once; the limiter of effects follows.
 */
import type { Database, Writes } from '../database.ts'
import type { LlmClient } from '../llm/client.ts'
import type { Reply } from '../llm/redis.ts'
import type { Effect, EffectOutcome } from '../tidemark.ts'
import { invalidated } from './cache.ts'
import { readExtractions, type Extraction } from './extraction.ts'
import { textOf } from './scrape.ts'

type Outcome = EffectOutcome<Writes>

export interface Refining {
  readonly db: Database
  readonly llm: LlmClient
  /** How long a reply is waited for, in ms. */
  readonly replyMs: number
}

/** Of a text the model is shown so much, in characters. */
const maxPrompt = 8_000

export async function refine(
  { db, llm, replyMs }: Refining,
  effects: readonly Effect[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const ids = effects.map(({ key }) => key ?? '')
  const rows = await readExtractions(db, ids)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return await Promise.all(
    effects.map(async (effect): Promise<Outcome> => {
      const row = byId.get(effect.key ?? '')
      const of = effect.payload as { readonly revision: string } | null
      // Gone, or of another text by now: that one's own effect follows.
      if (row === undefined || (of !== null && of.revision !== row.revision)) return undefined
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(replyMs)])
        const reply = await llm.ask(effect.id, promptOf(row), limit)
        return outcomeOf(reply, row)
      } catch (error) {
        signal.throwIfAborted()
        return { kind: 'retry', error: unavailable(error, replyMs), isOverload: true }
      }
    }),
  )
}

export function giveUpRefine({ key: id = '', payload }: Effect, error: unknown, to: Writes): void {
  const of = payload as { readonly revision: string } | null
  to.update('extractions', { id, ...of }, { llm_state: 'failed', problem: textOf(error) })
}

function outcomeOf(reply: Reply, row: Extraction): Outcome {
  switch (reply.kind) {
    case 'done':
      return { kind: 'delivered', write: (to) => writeReply(to, row, reply.summary, reply.topics) }
    case 'refused':
      return {
        kind: 'retry',
        error: Object.assign(new Error('the model refuses: too much at once'), { status: 429 }),
        afterMs: reply.retryAfterMs,
        isOverload: true,
      }
    case 'out':
      return {
        kind: 'retry',
        error: Object.assign(new Error('the model is out'), { status: 503 }),
        isOverload: true,
      }
    case 'failed':
      return { kind: 'retry', error: new Error(reply.error), isOverload: false }
  }
}

function writeReply(
  to: Writes,
  { id, project, revision }: Extraction,
  summary: string,
  topics: readonly string[],
): void {
  to.update('extractions', { id, revision }, { summary, llm_state: 'done', refined_ms: Date.now() })
  // Of the row that was just locked, and of none that is gone or of another text.
  const ofThis = 'EXISTS (SELECT 1 FROM extractions WHERE id = $1 AND revision = $2)'
  to.write({
    sql: `DELETE FROM entities WHERE extraction = $1 AND origin = 'llm' AND ${ofThis}`,
    parameters: [id, revision],
  })
  to.write({
    sql: `INSERT INTO entities (extraction, kind, name, count, origin)
      SELECT $1, 'topic', name, 1, 'llm' FROM jsonb_array_elements_text($3::jsonb) AS name WHERE ${ofThis}
      ON CONFLICT DO NOTHING`,
    parameters: [id, revision, JSON.stringify(topics)],
  })
  to.enqueue(invalidated(project))
}

export function promptOf({ title, body }: Pick<Extraction, 'title' | 'body'>): string {
  return `${title}\n${body}`.slice(0, maxPrompt).toWellFormed()
}

function unavailable(error: unknown, replyMs: number): Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Error(`the model did not reply within ${replyMs} ms`, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}
