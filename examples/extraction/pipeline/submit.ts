/**
 * What a client asks for is one commit: its rows, and the effects that do the rest. It is answered when that commit is there, so
 * that a request that was answered is not lost, whatever dies.
 */
import { randomUUID } from 'node:crypto'
import type { Database } from '../database.ts'
import { sourceId } from '../ids.ts'

export interface Submitted {
  readonly bookmark: string
  readonly ids: readonly string[]
}

export async function submit(db: Database, project: number, uris: readonly string[]): Promise<Submitted> {
  const sources = [...new Set(uris)].map((uri) => ({ id: sourceId(project, uri), uri }))
  const receipt = db.atomic((group) => {
    for (const source of sources) {
      const submission = randomUUID()
      group.upsert(
        'sources',
        {
          ...source,
          project,
          submission,
          state: 'waiting',
          problem: null,
          submitted_ms: Date.now(),
          scraped_ms: null,
        },
        { effects: [{ kind: 'scrape', payload: { submission } }] },
      )
    }
  })
  await receipt
  return { bookmark: receipt.bookmark, ids: sources.map(({ id }) => id) }
}

/** Its rows, its vector and what is cached of it go as they came: by effects, one after the other. */
export async function remove(db: Database, id: string): Promise<string> {
  const submission = randomUUID()
  const receipt = db.update(
    'sources',
    { id },
    { state: 'leaving', submission },
    { effects: [{ kind: 'scrape', payload: { submission } }] },
  )
  await receipt
  return receipt.bookmark
}
