/** Tells by what is in it whether a file is the one that was read, or a copy of that, as copy-and-cut rotation makes. */
import { open } from 'node:fs/promises'
import type { Checkpoint } from '../checkpoint.ts'
import { HEAD_BYTES, isSame, TAIL_BYTES } from '../fingerprint.ts'
import { matchOf } from '../match.ts'
import type { KnownLoad } from './known-loads.ts'

/** The file that this one is a copy of, and how far it has been read as that. */
export async function copyOf(
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
export function tellsCopies({ checkpoint }: KnownLoad): boolean {
  return checkpoint.offset >= TAIL_BYTES
}

/**
 * Where what was not read begins in a file that holds what was read up to this checkpoint, whatever its own number is;
 * a copy may have been made before, and ends earlier. Undefined for a file that holds something else.
 */
export async function unreadFrom(file: string, checkpoint: Checkpoint): Promise<number | undefined> {
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
