/** Reads from SQLite's journals what a process was doing when it was killed. Nobody may have the file open. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { endianness } from 'node:os'

const headerBytes = 32
const frameHeaderBytes = 24

/**
 * The process died inside a transaction: it had written to the journal and not committed. Transactions that were
 * still in memory alone leave no trace, so the answer errs to "no".
 */
export function diedInsideTransaction(file: string): boolean {
  // A rollback journal is deleted by the commit; it exists from the first page that a transaction changes.
  if (existsSync(`${file}-journal`)) return statSync(`${file}-journal`).size > 0
  return existsSync(`${file}-wal`) && framesBehindLastCommit(readFileSync(`${file}-wal`)) > 0
}

/**
 * Frames of a write-ahead log that belong to no commit. Frames are chained by checksums, so what an older
 * transaction left behind at the same place is told apart. https://www.sqlite.org/fileformat2.html#walformat
 */
export function framesBehindLastCommit(log: Buffer): number {
  if (log.length < headerBytes) return 0
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  const words = checksumWords(log, (view.getUint32(0) & 1) === 1)
  const frameBytes = frameHeaderBytes + view.getUint32(8)
  let sum0 = 0
  let sum1 = 0
  const add = (fromByte: number, toByte: number): void => {
    for (let at = fromByte / 4; at < toByte / 4; at += 2) {
      sum0 = (sum0 + (words[at] as number) + sum1) >>> 0
      sum1 = (sum1 + (words[at + 1] as number) + sum0) >>> 0
    }
  }
  add(0, 24)
  let behind = 0
  for (let at = headerBytes; at + frameBytes <= log.length; at += frameBytes) {
    add(at, at + 8)
    add(at + frameHeaderBytes, at + frameBytes)
    const isSalted = view.getBigUint64(at + 8) === view.getBigUint64(16)
    if (!isSalted || view.getUint32(at + 16) !== sum0 || view.getUint32(at + 20) !== sum1) break
    const isCommit = view.getUint32(at + 4) !== 0
    behind = isCommit ? 0 : behind + 1
  }
  return behind
}

/** The log as the 32-bit words that its checksums are made of, in the byte order that its header names. */
function checksumWords(log: Buffer, isBigEndian: boolean): Uint32Array {
  const bytes = Buffer.from(new Uint8Array(log.length - (log.length % 4)).buffer)
  log.copy(bytes)
  if (isBigEndian !== (endianness() === 'BE')) bytes.swap32()
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
