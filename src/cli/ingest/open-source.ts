import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

import { openFile } from './file-source.ts'
import { directoryError, inputErrorFrom } from './input-error.ts'
import type { Source } from './source.ts'
import { openStream } from './stream-source.ts'

export interface SourceOptions {
  /** The time that a stream counts as written at. */
  readonly now: number
  /** Where `-` reads from. */
  readonly stdin: AsyncIterable<unknown>
  /** Bytes read from a file at once. Default 256 KB. */
  readonly blockBytes?: number
}

const DEFAULT_BLOCK_BYTES = 256 * 1024

/**
 * Opens a file, or standard input for `-`. Pipes and devices are read as streams.
 *
 * @throws InputError when there is no such file, it is a directory, may not be read, or is not text.
 */
export async function openSource(path: string, options: SourceOptions): Promise<Source> {
  if (path === '-') return openStream('standard input', options.stdin, options.now)
  try {
    const status = await stat(path)
    if (status.isDirectory()) throw directoryError(path)
    if (status.isFile()) return await openFile(path, options.blockBytes ?? DEFAULT_BLOCK_BYTES)
  } catch (error) {
    throw inputErrorFrom(error, path)
  }
  return openStream(path, createReadStream(path), options.now)
}
