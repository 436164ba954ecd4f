/** One hash over all that an index holds: two vaults of the same notes have the same. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import { openMetadata } from './metadata/open.ts'
import { stateOf } from './state-folder.ts'
import type { Place } from './place.ts'

/** Without times, stamps and revisions, which are of a run. Nobody may write meanwhile. */
export async function indexHash(place: Omit<Place, 'embedder'>): Promise<string> {
  const folder = stateOf(place)
  const metadata = await openMetadata(
    { kind: place.store, folder, url: place.url },
    { writer: `hash-${process.pid}` },
  )
  try {
    const files = await metadata.files()
    const pieces = await metadata.piecesOf()
    const lines = [
      ...files.map((file) => [
        'file',
        file.path,
        file.hash,
        file.title,
        file.size,
        file.pieces,
        file.state,
        file.problem,
      ]),
      ...pieces.map((piece) => [
        'piece',
        piece.key,
        piece.n,
        piece.line,
        piece.heading,
        piece.hash,
        piece.text,
      ]),
      ...vectorsOf(path.join(folder, 'vectors.db')),
    ]
    const hash = createHash('sha256')
    for (const line of lines.map((one) => JSON.stringify(one)).toSorted()) hash.update(`${line}\n`)
    return hash.digest('hex')
  } finally {
    await metadata.db.close()
  }
}

function vectorsOf(file: string): unknown[][] {
  const database = new DatabaseSync(file, { allowExtension: true })
  try {
    load(database)
    const sql = `SELECT key, metadata, vector FROM pieces_versions JOIN pieces USING (id)`
    return database
      .prepare(sql)
      .all()
      .map(({ key, metadata, vector }) => [
        'vector',
        key,
        metadata,
        createHash('sha256')
          .update(vector as Uint8Array)
          .digest('hex'),
      ])
  } finally {
    database.close()
  }
}
