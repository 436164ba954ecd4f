/** The tables of the music database, as SQL and as Kysely sees them, and how a new file gets them. */
import { DatabaseSync } from 'node:sqlite'
import type { Generated } from 'kysely'

export interface Music {
  artists: { name: string }
  albums: { artist: string; title: string }
  songs: {
    id: Generated<number>
    path: string
    hash: string
    format: string
    durationMs: number
    title: string
    artist: string
    albumArtist: string | null
    album: string | null
    track: number | null
    year: number | null
    state: SongState
  }
  passages: { song: number; n: number; startMs: number; endMs: number; peakDb: number }
}

/** `reading` is what others see of a file whose rows are not all there yet. The import in groups never shows it. */
export type SongState = 'reading' | 'complete'

/**
 * Artists and albums have natural keys: each file's group brings its own again, so that a group which is refused takes
 * nobody's artist with it. Songs have generated ids, which their passages need at once.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS artists (name TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS albums (
    artist TEXT NOT NULL REFERENCES artists, title TEXT NOT NULL, PRIMARY KEY (artist, title)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS songs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    format TEXT NOT NULL,
    durationMs INTEGER NOT NULL CHECK (durationMs > 0),
    title TEXT NOT NULL,
    artist TEXT NOT NULL REFERENCES artists,
    albumArtist TEXT,
    album TEXT,
    track INTEGER,
    year INTEGER,
    state TEXT NOT NULL CHECK (state IN ('reading', 'complete')),
    FOREIGN KEY (albumArtist, album) REFERENCES albums (artist, title));
  CREATE TABLE IF NOT EXISTS passages (
    song INTEGER NOT NULL REFERENCES songs ON DELETE CASCADE,
    n INTEGER NOT NULL,
    startMs INTEGER NOT NULL CHECK (startMs >= 0),
    endMs INTEGER NOT NULL,
    peakDb REAL NOT NULL,
    PRIMARY KEY (song, n), CHECK (endMs > startMs)) WITHOUT ROWID;`

/** Makes the file and its tables, where they are missing. */
export function prepareDatabase(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(tables)
  } finally {
    database.close()
  }
}
