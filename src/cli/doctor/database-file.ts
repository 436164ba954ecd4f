/** The file and its folder, before SQLite looks at them. */
import { accessSync, closeSync, constants, openSync, readSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SQLITE_DEFAULTS } from '../../stores/sqlite/options.ts'
import { bytes, fail, ok, warn, type Finding } from './finding.ts'

const magic = 'SQLite format 3\0'
/** Of the file's header, where it says by which journal it is written: https://www.sqlite.org/fileformat.html */
const headerBytes = 20
const writeVersionAt = 18
const walVersion = 2

export interface DatabaseFile {
  readonly path: string
  readonly size: number
  /** Bytes of the write-ahead log beside it; undefined where there is none. */
  readonly logBytes: number | undefined
  readonly journal: 'wal' | 'rollback' | 'none yet'
}

/** Looks at the file by its bytes. Nothing of this process has it open yet, so no lock is lost by closing it. */
export function lookAtFile(path: string): { file?: DatabaseFile; finding: Finding } {
  const name = 'file'
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined)
    return {
      finding: fail(
        name,
        `there is no file ${path}`,
        'Name it with --db, or make it: npx tidemark ingest FILE',
      ),
    }
  if (!status.isFile())
    return { finding: fail(name, `${path} is no file`, 'Name the file of the database with --db.') }
  if (!may(path, constants.R_OK))
    return {
      finding: fail(
        name,
        `${path} may not be read by this user`,
        'Give this user read and write permission on it.',
      ),
    }
  const header = headerOf(path)
  if (status.size > 0 && header.toString('latin1', 0, magic.length) !== magic)
    return {
      finding: fail(
        name,
        `${path} is no SQLite database, or it is encrypted`,
        'Check the path given with --db. If it was a database, its first page is damaged: restore a backup.',
      ),
    }
  const logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size
  const journal = status.size === 0 ? 'none yet' : header[writeVersionAt] === walVersion ? 'wal' : 'rollback'
  const file: DatabaseFile = { path, size: status.size, logBytes, journal }
  return { file, finding: writable(file) }
}

function writable({ path, size }: DatabaseFile): Finding {
  return may(path, constants.W_OK)
    ? ok('file', `${path}, ${bytes(size)}`)
    : fail('file', `${path} may not be written by this user`, 'Give this user write permission on it.')
}

/** The log and its index lie beside the file and come and go. */
export function folderWritable(path: string): Finding {
  const folder = dirname(path)
  return may(folder, constants.W_OK | constants.X_OK)
    ? ok('folder', `${folder} may be written to`)
    : fail(
        'folder',
        `${folder} may not be written to by this user, and the write-ahead log lies in it`,
        'Give this user write permission on the folder, or keep the database in another one.',
      )
}

export function journalMode({ journal }: DatabaseFile): Finding {
  switch (journal) {
    case 'wal':
      return ok('journal', 'write-ahead log: readers go on while a batch commits')
    case 'none yet':
      return ok('journal', 'none yet; Tidemark begins with a write-ahead log')
    case 'rollback':
      return warn(
        'journal',
        'a rollback journal: nobody can read while a batch commits, and each commit takes longer',
        "Tidemark changes it when it opens the file, unless it is told `journalMode: 'delete'`.",
      )
  }
}

/** More than an engine leaves behind a checkpoint: something keeps it from being copied back. */
export function logSize({ logBytes = 0 }: DatabaseFile): Finding {
  const limit = SQLITE_DEFAULTS.journalSizeLimitBytes
  if (logBytes <= limit)
    return ok('log', logBytes === 0 ? 'it holds nothing' : `${bytes(logBytes)} in the write-ahead log`)
  return warn(
    'log',
    `${bytes(logBytes)} in the write-ahead log, where an engine under full load keeps about 17 MiB`,
    'A reader that stays open keeps it from being copied back: end long reads (see "in use" below), then run ' +
      "sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'",
  )
}

export function freeSpace({ path, size }: DatabaseFile): Finding {
  const { bavail, bsize } = statfsSync(dirname(path))
  return judgeSpace(bavail * bsize, size)
}

/** The log alone may take as much between two checkpoints. */
const leastFree = 64 * 2 ** 20

export function judgeSpace(free: number, size: number): Finding {
  const finding = `${bytes(free)} free, the file has ${bytes(size)}`
  const advice = 'Make room. While the disk is full, an engine waits and loses nothing, but its queue fills.'
  if (free < leastFree) return fail('disk', finding, advice)
  return free < Math.max(4 * leastFree, size / 10) ? warn('disk', finding, advice) : ok('disk', finding)
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(headerBytes)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, header, 0, headerBytes, 0)
    return header
  } finally {
    closeSync(descriptor)
  }
}
