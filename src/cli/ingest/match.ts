import type { FileHandle } from 'node:fs/promises'
import type { Checkpoint } from './checkpoint.ts'
import { bytesBefore, isSame } from './fingerprint.ts'
import type { Match } from './source.ts'

/** Whether a file holds what was read of the one that this checkpoint was written for: it, or a copy of it. */
export async function matchOf(
  handle: FileHandle,
  isGzip: boolean,
  /** The first bytes of the file, unpacked: at least as many as the checkpoint's `head` covers, if it has them. */
  head: Buffer,
  checkpoint: Checkpoint,
): Promise<Match> {
  const current = (await handle.stat()).size
  if (checkpoint.isGzip !== isGzip) return isNew('it was packed or unpacked since')
  const mustHave = isGzip ? checkpoint.size : checkpoint.offset
  if (current < mustHave) {
    return isNew(`it was cut or replaced: it has ${current} bytes where ${mustHave} had been read`)
  }
  if (!isSame(checkpoint.head, head.subarray(0, checkpoint.head.bytes))) {
    return isNew(`it was replaced: its first ${checkpoint.head.bytes} bytes are not those that were read`)
  }
  const { tail } = checkpoint
  if (tail !== null && !isSame(tail, bytesBefore(handle.fd, checkpoint.offset, tail.bytes))) {
    return isNew(`it was changed before byte ${checkpoint.offset}, up to where it had been read`)
  }
  return { kind: 'goes-on' }
}

function isNew(reason: string): Match {
  return { kind: 'new', reason }
}
