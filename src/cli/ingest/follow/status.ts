import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Undefined while there is nothing. @throws what else the system says */
export async function statusOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** What a file is known by as long as it exists, also when it is renamed. */
export function keyOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `file:${dev}:${ino}`
}
