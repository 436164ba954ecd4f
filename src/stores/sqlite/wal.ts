import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** The header's fields: https://www.sqlite.org/fileformat2.html#walformat */
const headerBytes = 32
const checkpointSequenceAt = 12

/**
 * Looks at the write-ahead log beside the database. The database file itself and its `-shm` must never be opened
 * like this: closing them would drop the locks that this process holds on them. The log is not locked.
 */
export function readWal(path: string): { walBytes: number; walRestarts: number } {
  try {
    const walBytes = statSync(`${path}-wal`).size
    if (walBytes < headerBytes) return { walBytes, walRestarts: 0 }
    const header = Buffer.alloc(headerBytes)
    const file = openSync(`${path}-wal`, 'r')
    try {
      readSync(file, header, 0, headerBytes, 0)
    } finally {
      closeSync(file)
    }
    return { walBytes, walRestarts: header.readUInt32BE(checkpointSequenceAt) }
  } catch {
    // No log: another journal mode, or nothing written yet.
    return { walBytes: 0, walRestarts: 0 }
  }
}
