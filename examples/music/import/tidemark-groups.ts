/** How a file is recorded with Tidemark: all that belongs to it is one group, and nobody waits for its commit. */
import type { Song } from '../audio/read-song.ts'
import type { Music } from '../schema.ts'
import type { Group, Receipt, Tidemark } from '../tidemark.ts'

export interface KnownSong {
  readonly id: number
  readonly hash: string
}

/** What was in the database before the import began. Read once, outside of every transaction. */
export interface Known {
  readonly artists: ReadonlySet<string>
  /** By `albumKey`. */
  readonly albums: ReadonlySet<string>
  /** By path. */
  readonly songs: ReadonlyMap<string, KnownSong>
}

export async function readKnown(db: Tidemark<Music>): Promise<Known> {
  const read = db.read('strong')
  const artists = await read.selectFrom('artists').select('name').execute()
  const albums = await read.selectFrom('albums').select(['artist', 'title']).execute()
  const songs = await read.selectFrom('songs').select(['path', 'id', 'hash', 'state']).execute()
  return {
    artists: new Set(artists.map(({ name }) => name)),
    albums: new Set(albums.map(albumKey)),
    // What the baseline left half done has to be done again.
    songs: new Map(
      songs.map(({ path, id, hash, state }) => [path, { id, hash: state === 'complete' ? hash : '' }]),
    ),
  }
}

/** Accepts the song, or what has changed of it. The receipt settles when it is committed. */
export function recordSong(db: Tidemark<Music>, song: Song, known: Known): Receipt {
  const before = known.songs.get(song.path)
  return db.atomic((group) => {
    writeArtists(group, song, known)
    const id = before === undefined ? insertSong(group, song) : replaceSong(group, song, before.id)
    for (const [n, passage] of song.passages.entries()) group.insert('passages', { song: id, n, ...passage })
  })
}

/**
 * What the database did not have is brought by every group that needs it, not by the first alone: should that one be
 * rejected, the others stand by themselves.
 */
function writeArtists(group: Group<Music>, { artist, album }: Song, known: Known): void {
  for (const name of new Set([artist, album?.artist ?? artist]))
    if (!known.artists.has(name)) group.upsert('artists', { name })
  if (album !== undefined && !known.albums.has(albumKey(album))) group.upsert('albums', album)
}

/** @returns its id, which is known before anything is committed */
function insertSong(group: Group<Music>, song: Song): number {
  const { id } = group.insert('songs', { path: song.path, ...columnsOf(song) })
  if (id === undefined) throw new Error('the ids of songs are not preallocated')
  return id
}

function replaceSong(group: Group<Music>, song: Song, id: number): number {
  group.write({ sql: 'DELETE FROM passages WHERE song = ?', parameters: [id] })
  group.update('songs', { id }, columnsOf(song), { expect: 1 })
  return id
}

function columnsOf({ hash, format, durationMs, title, artist, album, track, year }: Song) {
  const albumColumns = { albumArtist: album?.artist ?? null, album: album?.title ?? null }
  return { hash, format, durationMs, title, artist, ...albumColumns, track, year, state: 'complete' as const }
}

function albumKey({ artist, title }: { readonly artist: string; readonly title: string }): string {
  return JSON.stringify([artist, title])
}
