/**
 * Which file comes next under a path that is followed: one beside it that was renamed before it was read to its end,
 * or the one that has the path now. Everything is found out from the folder and from the checkpoints each time, so it
 * is the same whether the rotation was watched or happened while nobody looked.
 */
import type { BigIntStats } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Checkpoint } from '../checkpoint.ts'
import { HEAD_BYTES, isSame, TAIL_BYTES } from '../fingerprint.ts'
import type { LastLoad } from '../last-load.ts'
import { matchOf } from '../match.ts'
import type { KnownLoad } from './known-loads.ts'
import { keyOf, statusOf } from './status.ts'

/** A file that was moved away and holds lines that were not read. */
export interface Rotated {
  readonly file: string
  readonly key: string
  /** A copy is read on where the file that it was made of ended. */
  readonly start: LastLoad | undefined
}

export interface Beside {
  /** In the order in which they were written. */
  readonly unread: readonly Rotated[]
  /** The last file read under this path, if neither it nor a copy is in the folder any more. */
  readonly missing: KnownLoad | undefined
}

interface Found {
  readonly file: string
  readonly status: BigIntStats
  readonly key: string
}

/**
 * @param path the whole path that is followed
 * @param others whole paths that are followed for themselves
 * @param known the last loads of all files, newest first
 */
export async function rotatedBeside(
  path: string,
  others: ReadonlySet<string>,
  known: readonly KnownLoad[],
): Promise<Beside> {
  const mine = known.filter(({ checkpoint }) => checkpoint.path === path)
  if (mine.length === 0) return { unread: [], missing: undefined }
  const files = await filesBeside(path, others)
  const current = await statusOf(path)
  const byKey = new Map(known.map((load) => [load.checkpoint.key, load]))
  const own = new Map<string, KnownLoad>()
  for (const { file, key } of [...files, ...(current ? [{ file: path, key: keyOf(current) }] : [])]) {
    const load = byKey.get(key)
    if (load !== undefined && (await unreadFrom(file, load.checkpoint)) === load.checkpoint.offset)
      own.set(key, load)
  }
  const since = Math.min(...mine.map((load) => seenMs(load, files)))
  const gone = mine.filter(({ checkpoint }) => !own.has(checkpoint.key))
  const isCut = isCutInPlace(current, byKey, path)
  const [begun, unseen]: [Rotated[], Rotated[]] = [[], []]
  let missing: KnownLoad | undefined = gone[0] === mine[0] && !isCut ? gone[0] : undefined
  for (const { file, status, key } of files) {
    const load = own.get(key)
    if (load !== undefined) {
      if (load.checkpoint.path === path && status.size > load.checkpoint.offset)
        begun.push({ file, key, start: undefined })
      continue
    }
    if (!isNamedLikeRotation(basename(path), basename(file)) || Number(status.mtimeMs) < since) continue
    if ((await copyOf(file, [...own.values()].filter(tellsCopies))) !== undefined) continue
    const copy = await copyOf(file, isCut ? gone : gone.filter(tellsCopies))
    if (copy?.original === missing) missing = undefined
    const from = copy?.offset ?? (isCut ? status.size : 0)
    if (status.size > from) unseen.push({ file, key, start: copy && startOf(copy.original, key) })
  }
  // Writing times are no finer than a tick of the system: what was begun is the older one.
  return { unread: [...begun, ...unseen], missing }
}

/** Files in the folder, oldest first. */
async function filesBeside(path: string, others: ReadonlySet<string>): Promise<Found[]> {
  const folder = dirname(path)
  const found: Found[] = []
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const file = join(folder, entry.name)
    if (!entry.isFile() || file === path || others.has(file)) continue
    const status = await statusOf(file)
    if (status !== undefined && status.size > 0) found.push({ file, status, key: keyOf(status) })
  }
  return found.toSorted((one, other) => Number(one.status.mtimeNs - other.status.mtimeNs))
}

/** When a file was last known to be written to. */
function seenMs({ checkpoint, committedMs }: KnownLoad, files: readonly Found[]): number {
  const file = files.find(({ key }) => key === checkpoint.key)
  return file === undefined ? committedMs : Math.min(committedMs, Number(file.status.mtimeMs))
}

/**
 * `app.log.1`, `app.log-20260131`, `app-2026-01-31.log`: the name, and a number or a date. Only these can be files of
 * this path that nobody ever saw under it.
 */
function isNamedLikeRotation(name: string, other: string): boolean {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  const suffix = other.startsWith(name)
    ? other.slice(name.length)
    : other.startsWith(stem) && other.endsWith(extension)
      ? other.slice(stem.length, other.length - extension.length)
      : ''
  return /^[._-]\d[\d._:TZ-]*$/.test(suffix)
}

/**
 * Whether the path still leads to a file that was read under it: then its rotations are copies, and what was not read
 * of it stands in one of those. One that was made later only has the number of a file that is gone.
 */
function isCutInPlace(
  current: BigIntStats | undefined,
  byKey: ReadonlyMap<string, KnownLoad>,
  path: string,
): boolean {
  if (current === undefined) return false
  const load = byKey.get(keyOf(current))
  return load?.checkpoint.path === path && Number(current.birthtimeMs) <= load.committedMs
}

/** The file that this one is a copy of, and how far it has been read as that. */
async function copyOf(
  file: string,
  loads: readonly KnownLoad[],
): Promise<{ original: KnownLoad; offset: number } | undefined> {
  for (const original of loads) {
    const offset = await unreadFrom(file, original.checkpoint)
    if (offset !== undefined) return { original, offset }
  }
  return undefined
}

/** Files that a program begins with the same words, or with the header of a CSV, are no copies of each other. */
function tellsCopies({ checkpoint }: KnownLoad): boolean {
  return checkpoint.offset >= TAIL_BYTES
}

function startOf({ table, checkpoint }: KnownLoad, key: string): LastLoad {
  return { table, checkpoint: { ...checkpoint, key } }
}

/**
 * Where what was not read begins in a file that holds what was read up to this checkpoint, whatever its own number is;
 * a copy may have been made before, and ends earlier. Undefined for a file that holds something else.
 */
async function unreadFrom(file: string, checkpoint: Checkpoint): Promise<number | undefined> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
    const { size } = await handle.stat()
    if (!isSame(checkpoint.head, head.subarray(0, Math.min(bytesRead, checkpoint.head.bytes))))
      return undefined
    if (size < checkpoint.offset) return size
    const match = await matchOf(handle, false, head.subarray(0, bytesRead), checkpoint)
    return match.kind === 'goes-on' ? checkpoint.offset : undefined
  } finally {
    await handle.close()
  }
}
