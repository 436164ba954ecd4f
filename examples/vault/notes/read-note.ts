/** What is on the disk under a path: a note, nothing, or something that is no note and why. */
import { createHash } from 'node:crypto'
import { open, stat, type FileHandle } from 'node:fs/promises'
import path from 'node:path'

export interface Note {
  readonly kind: 'note'
  readonly stamp: string
  readonly size: number
  readonly hash: string
  readonly text: string
}

export type Reading =
  | Note
  | { readonly kind: 'gone' }
  /** As it was when it was last read. */
  | { readonly kind: 'same' }
  /** It was written while it was read: look again. */
  | { readonly kind: 'moving' }
  | { readonly kind: 'refused'; readonly stamp: string; readonly size: number; readonly problem: string }

/** Larger ones are refused before anything of them is read. */
export const maxBytes = 4 * 2 ** 20

/** Which may pass by themselves: the path is looked at again. */
const passing = new Set(['EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'EIO', 'EINTR', 'ENOMEM'])

/**
 * @param known the stamp of when it was last read; the file is not read again while it has that
 * @throws what the system says where it may say something else later
 */
export async function readNote(folder: string, note: string, known?: string): Promise<Reading> {
  const file = path.join(folder, note)
  let stamp = ''
  try {
    // Whoever opens a pipe waits for somebody at its other end.
    const found = await stat(file, { bigint: true })
    stamp = stampOf(found)
    if (stamp === known) return { kind: 'same' }
    if (found.isDirectory()) return { kind: 'gone' }
    if (!found.isFile()) return refused(stamp, 0, 'it is no regular file')
    const size = Number(found.size)
    if (size > maxBytes) return refused(stamp, size, tooLarge(size))
    await using handle = await open(file)
    const bytes = await readUpTo(handle, maxBytes)
    const after = stampOf(await handle.stat({ bigint: true }))
    if (after !== stamp) return { kind: 'moving' }
    return noteOf(bytes, isTelling(found.mtimeNs) ? stamp : '')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' }
    if (code === '' || passing.has(code)) throw error
    return refused(stamp, 0, explained(code, message))
  }
}

/** A file system's clock has steps: what is written twice within one has the same times. */
const clockStepMs = 100

function isTelling(mtimeNs: bigint): boolean {
  return Date.now() - Number(mtimeNs / 1_000_000n) > clockStepMs
}

function stampOf(of: { size: bigint; mtimeNs: bigint; ctimeNs: bigint; ino: bigint }): string {
  return `${of.size}-${of.mtimeNs}-${of.ctimeNs}-${of.ino}`
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const { size } = await handle.stat()
  const buffer = Buffer.allocUnsafe(Math.min(size, limit))
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

function noteOf(bytes: Buffer, stamp: string): Reading {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (isUtf16) return refused(stamp, bytes.length, 'it is UTF-16: save it as UTF-8')
  const nul = bytes.indexOf(0)
  if (nul >= 0) return refused(stamp, bytes.length, `it is no text: there is a zero byte at ${nul}`)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { kind: 'note', stamp, size: bytes.length, hash: contentHash(bytes), text }
  } catch {
    return refused(stamp, bytes.length, 'it is not UTF-8: save it as UTF-8')
  }
}

export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

function tooLarge(size: number): string {
  return `it has ${(size / 2 ** 20).toFixed(0)} MiB, more than the ${maxBytes / 2 ** 20} MiB of a note`
}

function explained(code: string, message: string): string {
  if (code === 'EACCES' || code === 'EPERM') return `it may not be read (${code}): see its permissions`
  if (code === 'ELOOP') return 'it is a link that leads back to itself (ELOOP)'
  return `it cannot be read: ${message}`
}

function refused(stamp: string, size: number, problem: string): Reading {
  return { kind: 'refused', stamp, size, problem }
}
