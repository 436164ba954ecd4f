/**
 * Which file comes next under a path that is followed: one beside it that was renamed before it was read to its end,
 * or the one that has the path now. Everything is found out from the folder and from the checkpoints each time, so it
 * is the same whether the rotation was watched or happened while nobody looked.
 */
import type { BigIntStats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LastLoad } from '../last-load.ts'
import { copyOf, tellsCopies, unreadFrom } from './copies.ts'
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
  const files = await filesBeside(path)
  const current = await statusOf(path)
  const present = await stillThere(known, current ? [...files, foundAt(path, current)] : files)
  const gone = mine.filter((load) => !present.has(load))
  const isCut = isCutInPlace(current, known, path)

  const begun = files.flatMap((found) => {
    const load = mine.find(({ checkpoint }) => checkpoint.key === found.key)
    const isUnread = load !== undefined && present.has(load) && found.status.size > load.checkpoint.offset
    return isUnread ? [{ file: found.file, key: found.key, start: undefined }] : []
  })
  let [missing] = isCut || gone[0] !== mine[0] ? [] : gone
  const unseen: Rotated[] = []
  const presentKeys = new Set([...present].map(({ checkpoint }) => checkpoint.key))
  const since = Math.min(...mine.map((load) => seenMs(load, files)))
  for (const { file, status, key } of files) {
    const isCandidate = !presentKeys.has(key) && isNamedLikeRotation(basename(path), basename(file))
    if (!isCandidate || Number(status.mtimeMs) < since) continue
    // What it holds is read from the file that it was made of.
    if (await copyOf(file, [...present].filter(tellsCopies))) continue
    const copy = await copyOf(file, isCut ? gone : gone.filter(tellsCopies))
    if (copy?.original === missing) missing = undefined
    const unreadAt = copy?.offset ?? (isCut ? status.size : 0)
    if (status.size > unreadAt) unseen.push({ file, key, start: copy && startOf(copy.original, key) })
  }
  // Writing times are no finer than a tick of the system: what was begun is the older one.
  return { unread: [...begun, ...unseen].filter(({ file }) => !others.has(file)), missing }
}

/** The loads whose files are among these, and hold what was read of them. */
async function stillThere(known: readonly KnownLoad[], files: readonly Found[]): Promise<Set<KnownLoad>> {
  const byKey = new Map(known.map((load) => [load.checkpoint.key, load]))
  const present = new Set<KnownLoad>()
  for (const { file, key } of files) {
    const load = byKey.get(key)
    if (load && (await unreadFrom(file, load.checkpoint)) === load.checkpoint.offset) present.add(load)
  }
  return present
}

function foundAt(file: string, status: BigIntStats): Found {
  return { file, status, key: keyOf(status) }
}

/** Files in the folder, oldest first. */
async function filesBeside(path: string): Promise<Found[]> {
  const folder = dirname(path)
  const found: Found[] = []
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const file = join(folder, entry.name)
    if (!entry.isFile() || file === path) continue
    const status = await statusOf(file).catch(() => undefined)
    if (status !== undefined && status.size > 0) found.push(foundAt(file, status))
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
function isCutInPlace(current: BigIntStats | undefined, known: readonly KnownLoad[], path: string): boolean {
  if (current === undefined) return false
  const load = known.find(({ checkpoint }) => checkpoint.key === keyOf(current))
  return load?.checkpoint.path === path && Number(current.birthtimeMs) <= load.committedMs
}

function startOf({ table, checkpoint }: KnownLoad, key: string): LastLoad {
  return { table, checkpoint: { ...checkpoint, key } }
}
