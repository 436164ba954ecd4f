/** One hash over all that an index holds: two vaults of the same notes have the same. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import { watcherOf } from './ask/client.ts'
import { Vault } from './pipeline/vault.ts'
import type { Place } from './place.ts'
import { stateOf } from './state-folder.ts'

/** Of a folder that nobody watches: what has changed is taken in before. */
export async function hashCommand(place: Place): Promise<string> {
  if (await watcherOf(stateOf(place), place.folder))
    throw new Error(`${place.folder} is watched: what its index holds may change at any time.`)
  const vault = await Vault.open(place)
  try {
    await vault.watch()
    await vault.settled()
    return await indexHash(vault)
  } finally {
    await vault.close()
  }
}

/** Without times, stamps and revisions, which are of a run. Nobody may write meanwhile. */
export async function indexHash({ metadata, state }: Pick<Vault, 'metadata' | 'state'>): Promise<string> {
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
    ...vectorsOf(path.join(state, 'vectors.db')),
  ]
  const hash = createHash('sha256')
  for (const line of lines.map((one) => JSON.stringify(one)).toSorted()) hash.update(`${line}\n`)
  return hash.digest('hex')
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
