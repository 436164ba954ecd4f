/**
 * Does the effects of `embed`: has the vector store agree with the row. A row has its vector, and says so in the commit of the
 * ack; where there is no row there is no vector. So the same effect makes, replaces, removes and repairs.
 */
import type { Database, Writes } from '../database.ts'
import type { Embedder } from '../embedder.ts'
import type { Effect, EffectOutcome } from '../tidemark.ts'
import type { VectorChange, Vectors } from '../vectors.ts'
import { invalidated } from './cache.ts'
import { readExtractions, type Extraction } from './extraction.ts'
import { textOf } from './scrape.ts'

type Outcome = EffectOutcome<Writes>

export interface Embedding {
  readonly db: Database
  readonly vectors: Vectors
  readonly embedder: Embedder
}

export async function embed(
  { db, vectors, embedder }: Embedding,
  effects: readonly Effect[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const ids = effects.map(({ key }) => key ?? '')
  const rows = await readExtractions(db, ids)
  const made = await embedder.embed(rows.map(textToEmbed), signal)
  const byId = new Map(rows.map((row, at) => [row.id, { row, vector: made[at] }]))
  const changes = effects.map((effect, at): VectorChange => {
    const found = byId.get(ids[at] ?? '')
    return { effect, project: found?.row.project ?? 0, vector: found?.vector }
  })
  const outcomes = await vectors.deliver(changes, signal)
  return ids.map((id, at): Outcome => {
    const outcome = outcomes[at]
    if (outcome !== undefined && outcome.kind !== 'delivered') return outcome
    const row = byId.get(id)?.row
    if (row === undefined) return undefined
    return { kind: 'delivered', write: (to) => acknowledge(to, row, vectors.embeddingId(id)) }
  })
}

export function giveUpEmbed({ key: id = '', payload }: Effect, error: unknown, to: Writes): void {
  const of = payload as { readonly revision: string } | null
  to.update('extractions', { id, ...of }, { embed_state: 'failed', problem: textOf(error) })
}

export function textToEmbed({ title, body }: Pick<Extraction, 'title' | 'body'>): string {
  return `${title}\n${body}`
}

/** Of a row whose text has changed since it says nothing: that one's own effect follows. */
function acknowledge(to: Writes, { id, project, revision }: Extraction, embeddingId: string): void {
  to.update(
    'extractions',
    { id, revision },
    { embedding_id: embeddingId, embed_state: 'done', embedded_ms: Date.now() },
  )
  to.enqueue(invalidated(project))
}
