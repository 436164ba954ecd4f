/**
 * What is in a music database, without the ids that chance gave: two imports of one folder are equal if theirs is.
 * And whether it is whole: what no kill may break.
 */
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

export interface Content {
  readonly rows: Readonly<Record<string, number>>
  /** Of all rows, in an order of their own. */
  readonly hash: string
}

const queries = {
  artists: 'SELECT name FROM artists ORDER BY name',
  albums: 'SELECT artist, title FROM albums ORDER BY artist, title',
  songs: `SELECT path, hash, format, durationMs, title, artist, albumArtist, album, track, year, state
    FROM songs ORDER BY path`,
  passages: `SELECT path, n, startMs, endMs, peakDb FROM passages JOIN songs ON song = id ORDER BY path, n`,
}

export function contentOf(file: string): Content {
  return lookInto(file, (database) => {
    const hash = createHash('sha256')
    const rows: Record<string, number> = {}
    for (const [table, sql] of Object.entries(queries)) {
      rows[table] = 0
      hash.update(table)
      for (const row of database.prepare(sql).iterate()) {
        rows[table]++
        hash.update(JSON.stringify(Object.values(row)))
      }
    }
    return { rows, hash: hash.digest('hex') }
  })
}

/** A song with its passages, as one line of text. */
export function songsOf(file: string): Map<string, string> {
  return lookInto(file, (database) => {
    const sql = `SELECT path, json_array(hash, format, durationMs, title, artist, albumArtist, album, track, year, state,
        (SELECT json_group_array(json_array(n, startMs, endMs, peakDb) ORDER BY n) FROM passages WHERE song = id)) AS song
      FROM songs`
    return new Map(
      database
        .prepare(sql)
        .all()
        .map(({ path, song }) => [String(path), String(song)]),
    )
  })
}

/** @returns what is wrong with the file, its references, and artists and albums of no song; nothing, if all is well */
export function damageOf(file: string): string[] {
  return lookInto(file, (database) => [
    ...database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row['integrity_check']))
      .filter((line) => line !== 'ok'),
    ...database
      .prepare('PRAGMA foreign_key_check')
      .all()
      .map((row) => `${String(row['table'])}: no ${String(row['parent'])} for row ${String(row['rowid'])}`),
    ...database
      .prepare(ofNoSong)
      .all()
      .map(({ what }) => `${String(what)} is of no song`),
  ])
}

/** An artist may be that of an album alone. */
const ofNoSong = `
  SELECT 'artist ' || name AS what FROM artists
  WHERE name NOT IN (SELECT artist FROM songs UNION SELECT artist FROM albums)
  UNION ALL SELECT 'album ' || title FROM albums
  WHERE NOT EXISTS (SELECT 1 FROM songs WHERE albumArtist = albums.artist AND album = albums.title)`

function lookInto<T>(file: string, look: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  try {
    return look(database)
  } finally {
    database.close()
  }
}
