/**
 * Which processes have the file open, and with how many SQLite libraries. Linux tells of the processes of this user;
 * of others only root learns.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'

export interface Holder {
  readonly pid: number
  /** The name of the program. */
  readonly program: string
  /** How often it has the database itself open. */
  readonly descriptors: number
  /** It has a file open that was here before, and is not any more. */
  readonly holdsDeleted: boolean
  /** SQLite libraries that are loaded beside each other; in a Node process its own is one of them. */
  readonly libraries: readonly string[]
}

export interface Holders {
  readonly holders: readonly Holder[]
  /** Processes of others, which could not be looked into. */
  readonly hidden: number
}

/** What a package with an SQLite inside has in its name; its binary may be called anything. */
const sqlitePackage = /sqlite|libsql|sqlcipher/i
/** Binaries that were moved out of their package, and the library of the system. */
const binaries: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\/better_sqlite3\.node$/, 'better-sqlite3'],
  [/\/(node_)?sqlite3\.node$/, 'sqlite3'],
  [/\/libsqlite3\.so[.\d]*$/, 'libsqlite3'],
]
const ownLibrary = "Node's own"

/** Undefined where the system does not tell. */
export function holdersOf(path: string): Holders | undefined {
  if (process.platform !== 'linux') return undefined
  const real = realpathSync(path)
  const builtIn = mappedLibraries('self')
  const holders: Holder[] = []
  let hidden = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    const open = openFiles(entry)
    if (open === undefined) hidden++
    else if (open.some((file) => isOf(file, real))) holders.push(describe(entry, open, real, builtIn))
  }
  return { holders, hidden }
}

function describe(pid: string, open: readonly string[], real: string, builtIn: readonly string[]): Holder {
  const program = basename(linkOf(`/proc/${pid}/exe`) ?? '?').replace(/ \(deleted\)$/, '')
  const mapped = mappedLibraries(pid)
  // A Node that was built against the system's library has that one and no other of its own.
  const isNode = /^(node|nodejs|electron)$/i.test(program) && !mapped.some((name) => builtIn.includes(name))
  return {
    pid: Number(pid),
    program,
    descriptors: open.filter((file) => file === real).length,
    holdsDeleted: open.includes(`${real} (deleted)`),
    libraries: isNode ? [ownLibrary, ...mapped] : mapped,
  }
}

function isOf(file: string, real: string): boolean {
  return [real, `${real}-wal`, `${real}-shm`, `${real} (deleted)`].includes(file)
}

/** Undefined for a process that may not be looked into; one that has ended meanwhile has nothing open. */
function openFiles(pid: string): string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`) ?? [])
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES' ? undefined : []
  }
}

function mappedLibraries(pid: string): string[] {
  const found = new Set<string>()
  for (const line of mapsOf(pid).split('\n')) {
    const file = /\s(\/\S.*)$/.exec(line)?.[1]
    const library = file === undefined ? undefined : libraryOf(file)
    if (library !== undefined) found.add(library)
  }
  return [...found].toSorted()
}

/** The name of the SQLite library in this binary, if it is one. */
export function libraryOf(file: string): string | undefined {
  const packaged = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*\.node$/.exec(file)?.[1]
  if (packaged !== undefined && sqlitePackage.test(packaged)) return packaged
  return binaries.find(([pattern]) => pattern.test(file))?.[1]
}

function mapsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8')
  } catch {
    return ''
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
