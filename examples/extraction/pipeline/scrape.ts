/**
 * Does the effects of `scrape`: document ▶ text ▶ names, and writes all of it with the ack, as one group. So a delivery that is
 * repeated, or that was killed anywhere, leaves nothing in part and nothing twice.
 *
 * What the row says decides, not what the effect carried: one that is removed meanwhile is removed.
 */
import type { Database, Writes } from '../database.ts'
import { entitiesOf } from '../documents/entities.ts'
import { parseDocument } from '../documents/parse.ts'
import { BadDocument, readDocument } from '../documents/read.ts'
import { revisionOf } from '../ids.ts'
import type { DB } from '../tables.ts'
import type { Effect, EffectOutcome } from '../tidemark.ts'
import { invalidated } from './cache.ts'

type Outcome = EffectOutcome<Writes>
type Source = DB['sources']

export interface Scraping {
  readonly db: Database
  /** Where documents that are named by a path lie. */
  readonly folder: string
}

export async function scrape(
  { db, folder }: Scraping,
  effects: readonly Effect[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const ids = effects.map(({ key }) => key ?? '')
  const rows = await db.read('eventual').selectFrom('sources').selectAll().where('id', 'in', ids).execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return await Promise.all(
    ids.map(async (id): Promise<Outcome> => {
      const source = byId.get(id)
      if (source === undefined) return undefined
      if (source.state === 'leaving') return { kind: 'delivered', write: (to) => removeAll(to, source) }
      return await extract(source, folder, signal)
    }),
  )
}

export function giveUpScrape({ key: id = '', payload }: Effect, error: unknown, to: Writes): void {
  const of = payload as { readonly submission: string } | null
  to.update('sources', { id, ...of }, { state: 'failed', problem: textOf(error) })
}

async function extract(source: Source, folder: string, signal: AbortSignal): Promise<Outcome> {
  const { id, uri, submission } = source
  try {
    const document = await readDocument(uri, folder, signal)
    const { title, body } = parseDocument(document, uri)
    const entities = entitiesOf(`${title}\n${body}`)
    return { kind: 'delivered', write: (to) => writeExtraction(to, source, { title, body }, entities) }
  } catch (error) {
    // It will not get better: that is done, and the row says so. What was extracted of it before stays.
    if (error instanceof BadDocument)
      return {
        kind: 'delivered',
        write: (to) =>
          to.update(
            'sources',
            { id, submission },
            { state: 'failed', problem: error.message, scraped_ms: Date.now() },
          ),
      }
    return { kind: 'retry', error }
  }
}

function writeExtraction(
  to: Writes,
  { id, project, submission }: Source,
  { title, body }: { readonly title: string; readonly body: string },
  entities: ReturnType<typeof entitiesOf>,
): void {
  const nowMs = Date.now()
  const revision = revisionOf(title, body)
  to.update('sources', { id, submission }, { state: 'extracted', problem: null, scraped_ms: nowMs })
  // The row first: whoever changes the same one waits here, and sees the entities that follow.
  to.upsert(
    'extractions',
    {
      id,
      project,
      title,
      body,
      revision,
      extracted_ms: nowMs,
      embedding_id: null,
      embed_state: 'waiting',
      embedded_ms: null,
      summary: null,
      llm_state: 'waiting',
      refined_ms: null,
      problem: null,
    },
    {
      effects: [
        { kind: 'embed', payload: { revision } },
        { kind: 'llm', payload: { revision } },
      ],
    },
  )
  to.write({ sql: 'DELETE FROM entities WHERE extraction = $1', parameters: [id] })
  for (const entity of entities) to.insert('entities', { extraction: id, ...entity, origin: 'rules' })
  to.enqueue(invalidated(project))
}

function removeAll(to: Writes, { id, project, submission }: Source): void {
  to.delete('extractions', { id }, { effects: [{ kind: 'embed' }] })
  to.write({ sql: 'DELETE FROM entities WHERE extraction = $1', parameters: [id] })
  // Submitted again meanwhile, it stays: its own effect follows.
  to.delete('sources', { id, submission })
  to.enqueue(invalidated(project))
}

export function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .slice(0, 500)
    .replaceAll('\0', '')
    .toWellFormed()
}
