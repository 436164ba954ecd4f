/** For tests: files that hold what a test says, and all that reading them gives. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { onTestFinished } from 'vitest'

import type { Checkpoint } from './checkpoint.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { InputError } from './input-error.ts'
import { openSource } from './open-source.ts'
import { readEntries } from './reader.ts'
import type { BadLine, EntryBlock, EntryReader, ReadOptions } from './reader.ts'
import type { Source } from './source.ts'

/** When every file of a test was last changed, unless it says otherwise. */
export const MODIFIED_MS: number = Date.UTC(2024, 4, 1, 12)

/** A folder that is gone when the test is over. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'tidemark-ingest-'))

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }))
  }

  /** Writes a file in place: an existing one keeps its inode. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name)
    writeFileSync(path, content)
    utimesSync(path, MODIFIED_MS / 1_000, MODIFIED_MS / 1_000)
    return path
  }
}

export function openPath(path: string, blockBytes?: number): Promise<Source> {
  const stdin = Readable.from([])
  return openSource(path, blockBytes === undefined ? { now: 0, stdin } : { now: 0, stdin, blockBytes })
}

export function openChunks(chunks: Iterable<string | Buffer>): Promise<Source> {
  return openSource('-', { now: MODIFIED_MS, stdin: Readable.from(chunks, { objectMode: true }) })
}

export interface Reading {
  readonly rows: readonly unknown[]
  readonly bad: readonly BadLine[]
  readonly blocks: readonly EntryBlock[]
  readonly incomplete: BadLine | null
  /** As it comes back from where it is kept. */
  readonly checkpoint: Checkpoint | undefined
  readonly error: InputError | undefined
}

/** Reads all, or up to `maxBlocks`; a checkpoint goes through JSON as it would in the database. */
export async function readAll(
  source: Source,
  options: Partial<ReadOptions> = {},
  maxBlocks: number = Number.POSITIVE_INFINITY,
): Promise<Reading> {
  const blocks: EntryBlock[] = []
  let error: InputError | undefined
  let reader: EntryReader | undefined
  try {
    reader = readEntries(source, { format: 'auto', ...options })
    for await (const block of reader.blocks) {
      blocks.push(block)
      if (blocks.length >= maxBlocks) break
    }
  } catch (caught) {
    if (!(caught instanceof InputError) || reader === undefined) throw caught
    error = caught
  } finally {
    await source.close()
  }
  return {
    rows: blocks.flatMap((block) => block.rows),
    bad: blocks.flatMap((block) => block.bad),
    blocks,
    incomplete: reader?.incomplete ?? null,
    checkpoint: parseCheckpoint(JSON.parse(JSON.stringify(blocks.at(-1)?.checkpoint ?? null))),
    error,
  }
}

export async function readPath(path: string, options: Partial<ReadOptions> = {}): Promise<Reading> {
  return readAll(await openPath(path), options)
}

/** Goes on from a reading, as the next run of the command would. */
export async function readOn(path: string, before: Reading): Promise<Reading> {
  const source = await openPath(path)
  if (before.checkpoint === undefined) return readAll(source)
  const match = await source.matches(before.checkpoint)
  if (match.kind === 'new') {
    await source.close()
    throw new Error(`new: ${match.reason}`)
  }
  return readAll(source, { from: before.checkpoint })
}

/** The error that opening or preparing to read ends with. */
export async function refusalOf(opening: Promise<unknown>): Promise<InputError> {
  try {
    await opening
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('it was not refused')
}
