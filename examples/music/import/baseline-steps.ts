/**
 * How a file is recorded in the baseline: step by step, reads and writes in turn, each a transaction of its own. A
 * process that dies in between leaves what it had written so far.
 */
import type { Song } from '../audio/read-song.ts'
import type { OwnConnection } from './baseline-connection.ts'
import type { Done } from './messages.ts'

export async function recordInSteps(
  connection: OwnConnection,
  path: string,
  hash: string,
  read: () => Promise<Song>,
): Promise<Done> {
  const known = connection.read('SELECT id, hash, state FROM songs WHERE path = ?', path)
  if (known?.['hash'] === hash && known['state'] === 'complete') return { kind: 'unchanged', path }
  const song = await read()
  try {
    recordArtists(connection, song)
    if (known) clear(connection, Number(known['id']))
    recordSong(connection, song)
  } catch (error) {
    if (!isConstraint(error)) throw error
    return { kind: 'rejected', path, reason: error.message }
  }
  return { kind: known ? 'changed' : 'imported', path }
}

function recordArtists(connection: OwnConnection, { artist, album }: Song): void {
  for (const name of new Set([artist, album?.artist ?? artist])) {
    if (connection.read('SELECT 1 FROM artists WHERE name = ?', name) === undefined)
      connection.write('INSERT INTO artists (name) VALUES (?) ON CONFLICT DO NOTHING', name)
  }
  if (album === undefined) return
  const key = [album.artist, album.title]
  if (connection.read('SELECT 1 FROM albums WHERE artist = ? AND title = ?', ...key) === undefined)
    connection.write('INSERT INTO albums (artist, title) VALUES (?, ?) ON CONFLICT DO NOTHING', ...key)
}

function clear(connection: OwnConnection, id: number): void {
  connection.write("UPDATE songs SET state = 'reading' WHERE id = ?", id)
  connection.write('DELETE FROM passages WHERE song = ?', id)
}

function recordSong(connection: OwnConnection, song: Song): void {
  connection.write(
    `INSERT INTO songs (path, hash, format, durationMs, title, artist, state) VALUES (?, ?, ?, ?, ?, ?, 'reading')
     ON CONFLICT (path) DO UPDATE SET (hash, format, durationMs, title, artist)
       = (excluded.hash, excluded.format, excluded.durationMs, excluded.title, excluded.artist)`,
    song.path,
    song.hash,
    song.format,
    song.durationMs,
    song.title,
    song.artist,
  )
  const row = connection.read('SELECT id FROM songs WHERE path = ?', song.path)
  const id = Number(row?.['id'])
  connection.write(
    'UPDATE songs SET albumArtist = ?, album = ? WHERE id = ?',
    song.album?.artist ?? null,
    song.album?.title ?? null,
    id,
  )
  connection.write('UPDATE songs SET track = ?, year = ? WHERE id = ?', song.track, song.year, id)
  for (const [n, { startMs, endMs, peakDb }] of song.passages.entries())
    connection.write('INSERT INTO passages VALUES (?, ?, ?, ?, ?)', id, n, startMs, endMs, peakDb)
  connection.write("UPDATE songs SET state = 'complete' WHERE id = ?", id)
}

const SQLITE_CONSTRAINT = 19

function isConstraint(error: unknown): error is Error {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_CONSTRAINT
}
