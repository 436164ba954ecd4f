/** Reads one audio file: its hash, its tags, its length and its passages. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseBuffer, type IAudioMetadata } from 'music-metadata'
import { BrokenFileError } from './broken.ts'
import { decode } from './decode.ts'
import { findPassages, type Passage, type Samples } from './passages.ts'

export interface Song {
  /** In the folder, with `/` on every system. */
  readonly path: string
  readonly hash: string
  readonly format: string
  readonly durationMs: number
  readonly title: string
  readonly artist: string
  readonly album: { readonly artist: string; readonly title: string } | undefined
  readonly track: number | null
  readonly year: number | null
  readonly passages: readonly Passage[]
}

/** Of the length that a file claims, how much there must be of it. */
const enough = 0.95

/** Blocks: a worker does nothing else meanwhile. @throws BrokenFileError */
export function readBytes(folder: string, name: string): { bytes: Buffer; hash: string } {
  const bytes = readOrThrow(path.join(folder, name))
  if (bytes.length === 0) throw new BrokenFileError('empty')
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex') }
}

/** @throws BrokenFileError */
export async function readSong(name: string, bytes: Buffer, hash: string): Promise<Song> {
  const { format, common } = await parse(bytes)
  const samples = await decode(bytes, format)
  const durationMs = durationOf(format, samples)
  const artist = textOr('Unknown artist', common.artist)
  return {
    path: name,
    hash,
    format: [format.container, format.codec].filter(Boolean).join(' '),
    durationMs,
    title: textOr(path.posix.parse(name).name, common.title),
    artist,
    album: common.album?.trim()
      ? { artist: textOr(artist, common.albumartist), title: common.album.trim() }
      : undefined,
    track: common.track.no,
    year: common.year ?? null,
    // Of a format that is not decoded, the whole is one passage, as loud as can be.
    passages: samples ? findPassages(samples) : [{ startMs: 0, endMs: durationMs, peakDb: 0 }],
  }
}

function readOrThrow(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new BrokenFileError(`cannot be read (${String(code)})`, { cause: error })
  }
}

async function parse(bytes: Buffer): Promise<IAudioMetadata> {
  try {
    return await parseBuffer(bytes, undefined, { duration: true, skipCovers: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BrokenFileError(`not audio that can be read (${why})`, { cause: error })
  }
}

/** @throws BrokenFileError */
function durationOf({ container, duration }: IAudioMetadata['format'], samples: Samples | undefined): number {
  const claimedMs = duration === undefined ? undefined : Math.round(duration * 1_000)
  if (samples === undefined) {
    if (claimedMs === undefined) throw new BrokenFileError('does not tell how long it is')
    return claimedMs
  }
  const ms = Math.round(((samples.channels[0]?.length ?? 0) * 1_000) / samples.sampleRate)
  // Of an MP3 the length is a guess from its first frames.
  if (claimedMs !== undefined && container !== 'MPEG' && ms < claimedMs * enough)
    throw new BrokenFileError(`truncated: ${ms} of ${claimedMs} ms of sound`)
  return ms
}

function textOr(otherwise: string, text: string | undefined): string {
  return text?.trim() || otherwise
}
