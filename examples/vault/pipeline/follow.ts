/** Tells the index what was committed, and a person what is wrong. */
import type { DB } from '../metadata/tables.ts'
import type { Tidemark } from '../tidemark.ts'
import type { NoteIndex } from './index.ts'

/** @returns what ends it */
export function follow(db: Tidemark<DB>, index: NoteIndex, notice: (notice: string) => void): () => void {
  const changes = db.changes({ table: 'files', when: 'committed', maxBuffered: 200_000 })
  void (async () => {
    for await (const change of changes) {
      if (change.kind === 'upsert' && change.values['state'] !== 'written')
        index.advance(String(change.key['path']), change.values['revision'], 'refused', textOf(change.values))
      else if (change.kind === 'upsert')
        index.advance(String(change.key['path']), change.values['revision'], 'written')
      else if (change.kind === 'update' && change.where?.['revision'] !== undefined)
        index.advance(
          String(change.key['path']),
          change.where['revision'],
          change.values['state'] === 'searchable' ? 'searchable' : 'failed',
          textOf(change.values),
        )
    }
  })()
  const ends = [
    db.on('retry', ({ attempt, error }) => {
      if (attempt === 1) notice(`${error.message} ${error.hint ?? ''}`.trim())
    }),
    db.on('reject', ({ message }) => notice(`the database refuses a note: ${message}`)),
    db.on('alert', ({ kind, message }) => {
      if (kind === 'targetDown')
        notice('The embedder cannot be reached: notes wait for it, and go on by themselves.')
      else notice(message)
    }),
  ]
  return () => {
    void changes.return()
    for (const end of ends) end()
  }
}

function textOf(values: Readonly<Record<string, unknown>>): string | null {
  return typeof values['problem'] === 'string' ? values['problem'] : null
}
