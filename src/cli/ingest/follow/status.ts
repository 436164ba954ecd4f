import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { inputErrorFrom } from '../input-error.ts'

/** Undefined while there is nothing. @throws InputError for what else the system says */
export async function statusOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    const failure = inputErrorFrom(error, path)
    if (failure.code === 'INPUT_NOT_FOUND') return undefined
    throw failure
  }
}

/** What a file is known by as long as it exists, also when it is renamed. */
export function keyOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `file:${dev}:${ino}`
}
