/** Questions to a vault: what it says, and how fresh that is. */
import type { FileRow, PieceRow } from '../metadata/tables.ts'
import { StaleReadError, TidemarkError, type Consistency, type Position } from '../tidemark.ts'
import { isNote } from '../pipeline/watch.ts'
import { maxPathLength, textOf } from '../pipeline/write-note.ts'
import type { Vault } from '../pipeline/vault.ts'
import type { Hit } from '../vectors.ts'

/** What of one file is not done yet. All false and zero: nothing. */
export interface PendingFile {
  readonly path: string
  /** Something happened to the file that was not looked at yet. */
  readonly isSeen: boolean
  /** Writes that are accepted and not committed. */
  readonly operations: number
  readonly oldestMs: number
  /** Its newest content is committed, or about to be, and not searchable yet. */
  readonly isEmbedding: boolean
}

/** How fresh an answer is. */
export interface Freshness {
  readonly level: Consistency
  /** For that to be there which it had to see, in ms. */
  readonly waitedMs: number
  /** Altogether, in ms. */
  readonly tookMs: number
  /** All up to these positions was seen. */
  readonly seen: readonly Position[]
  /** Of the files that it is about, those of which something is not done. */
  readonly pending: readonly PendingFile[]
  /** Why it could not be as fresh as it was to be; then it says nothing else. */
  readonly stale?: string
}

export interface StatusAnswer extends Freshness {
  readonly path: string
  readonly file: Omit<FileRow, 'stamp' | 'revision'> | null
}

export interface FoundPiece {
  readonly path: string
  readonly heading: string
  readonly line: number
  readonly text: string
  /** From 1, the same direction, down to -1. */
  readonly likeness: number
}

export interface SearchAnswer extends Freshness {
  readonly found: readonly FoundPiece[]
  /** Vectors that were found and left out, since the text that they were made of has changed. */
  readonly outdated: number
  /** In all of the vault, notes that are seen or written and not searchable. */
  readonly notSearchable: number
}

export interface AskOptions {
  readonly consistency: Consistency
  /** How long to wait, in ms. */
  readonly timeoutMs: number
}

const most = 10
/** Files of an answer that are told to be pending. */
const mostPending = 20

export class Asking {
  readonly #vault: Vault

  constructor(vault: Vault) {
    this.#vault = vault
  }

  async status(path: string, { consistency, timeoutMs }: AskOptions): Promise<StatusAnswer> {
    const since = performance.now()
    const { looks, metadata } = this.#vault
    const nothing = { path, file: null, level: consistency, seen: [] }
    if (!isNote(path)) return { ...nothing, waitedMs: 0, tookMs: 0, pending: [] }
    // What was under way when an eventual read began may be over when it ends, and is not in its row all the same.
    const before = consistency === 'eventual' ? this.#pendingOf([path]) : []
    try {
      if (consistency !== 'eventual') await within(timeoutMs, since, looks.now(path))
      const lookedMs = consistency === 'eventual' ? 0 : ms(since)
      const { rows, seen, waitedMs } = await metadata.file(path, {
        consistency,
        keys: [['files', { path }]],
        timeoutMs: left(timeoutMs, since),
        // One whose path is too long has no effects.
        ...(consistency === 'strong' && path.length <= maxPathLength && { processors: ['embed'] }),
      })
      const [row] = rows
      const file = row === undefined ? null : shown(row)
      const after = this.#pendingOf([path], row)
      const pending = after.length > 0 ? after : before
      return { ...nothing, file, seen, waitedMs: lookedMs + waitedMs, tookMs: ms(since), pending }
    } catch (error) {
      const tookMs = ms(since)
      return { ...nothing, waitedMs: tookMs, tookMs, pending: this.#pendingOf([path]), stale: staleOf(error) }
    }
  }

  async search(words: string, options: AskOptions): Promise<SearchAnswer> {
    return await this.#find(options, async () => {
      const [vector] = await this.#vault.embedder.embed([words], AbortSignal.timeout(options.timeoutMs), true)
      return vector
    })
  }

  /** Notes near to this one. */
  async related(path: string, options: AskOptions): Promise<SearchAnswer> {
    return await this.#find(
      options,
      async () => {
        const pieces = await this.#vault.metadata.piecesOf([path])
        const texts = pieces.toSorted((a, b) => a.n - b.n).map(textOf)
        const vectors = await this.#vault.embedder.embed(
          texts.slice(0, 16),
          AbortSignal.timeout(options.timeoutMs),
          true,
        )
        return meanOf(vectors)
      },
      path,
    )
  }

  async #find(
    { consistency, timeoutMs }: AskOptions,
    query: () => Promise<Float32Array | undefined>,
    about?: string,
  ): Promise<SearchAnswer> {
    const since = performance.now()
    const { looks, metadata, vectors, index } = this.#vault
    const nothing = { level: consistency, seen: [], found: [], outdated: 0 }
    const unsearchable = (): number =>
      looks.size + index.counts.accepted + index.counts.written + index.counts.embedding
    const before = consistency === 'eventual' ? unsearchable() : 0
    try {
      if (consistency !== 'eventual') {
        if (about !== undefined) await within(timeoutMs, since, looks.now(about))
        await within(timeoutMs, since, looks.settled())
      }
      if (consistency === 'strong') {
        const paths = index.at('accepted', 'written', 'embedding').map(({ path }) => path)
        await metadata.file('', {
          consistency,
          keys: paths.map((path) => ['files', { path }] as const),
          processors: ['embed'],
          timeoutMs: left(timeoutMs, since),
        })
      } else if (consistency === 'readAfterWrite')
        await metadata.pieces([], { consistency, timeoutMs: left(timeoutMs, since) })
      const waitedMs = consistency === 'eventual' ? 0 : ms(since)
      const vector = await query()
      const hits =
        vector === undefined ? [] : await vectors.search(vector, most * (about === undefined ? 2 : 8))
      const keys = hits.map(({ key }) => key)
      const { rows, seen } = await metadata.pieces(keys, { consistency, timeoutMs: left(timeoutMs, since) })
      const { found, outdated } = join(hits, rows, about)
      const pending = this.#pendingOf([...new Set(found.map(({ path }) => path))])
      return {
        ...nothing,
        seen,
        found,
        outdated,
        pending,
        waitedMs,
        tookMs: ms(since),
        notSearchable: Math.max(before, unsearchable()),
      }
    } catch (error) {
      const paths = index.at('accepted', 'written', 'embedding').map(({ path }) => path)
      return {
        ...nothing,
        waitedMs: ms(since),
        tookMs: ms(since),
        pending: this.#pendingOf(paths.slice(0, mostPending)),
        notSearchable: unsearchable(),
        stale: staleOf(error),
      }
    }
  }

  #pendingOf(paths: readonly string[], row?: FileRow): PendingFile[] {
    const { metadata, index } = this.#vault
    return paths.flatMap((path) => {
      const pending = metadata.db.pending('files', { path })
      const stage = index.get(path)?.stage
      const isEmbedding =
        row?.state === 'written' || stage === 'accepted' || stage === 'written' || stage === 'embedding'
      if (pending === undefined && !isEmbedding) return []
      const isSeen = pending?.processors.includes('watch') ?? false
      const { operations = 0, oldestMs = 0 } = pending ?? {}
      return [{ path, isSeen, operations, oldestMs, isEmbedding }]
    })
  }
}

/** What was found, with the text that it was made of: a vector of an earlier text finds nothing. */
function join(
  hits: readonly Hit[],
  rows: readonly PieceRow[],
  about: string | undefined,
): { readonly found: FoundPiece[]; readonly outdated: number } {
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const found: FoundPiece[] = []
  const told = new Set<string>()
  let outdated = 0
  for (const { key, hash, distance } of hits) {
    const row = byKey.get(key)
    if (row === undefined || row.hash !== hash) {
      outdated++
      continue
    }
    const { path, heading, line, text } = row
    // Notes that are related are told once, by the piece that is nearest.
    if (about !== undefined && (path === about || told.has(path))) continue
    told.add(path)
    if (found.length < most) found.push({ path, heading, line, text, likeness: 1 - distance })
  }
  return { found, outdated }
}

function shown(row: FileRow): Omit<FileRow, 'stamp' | 'revision'> {
  const { path, hash, title, size, pieces, state, problem, seen_ms, searchable_ms } = row
  return { path, hash, title, size, pieces, state, problem, seen_ms, searchable_ms }
}

function meanOf(vectors: readonly Float32Array[]): Float32Array | undefined {
  const [first, ...others] = vectors
  if (first === undefined) return undefined
  const sum = Float32Array.from(first)
  for (const vector of others) for (const [at, value] of vector.entries()) sum[at] = (sum[at] ?? 0) + value
  return sum
}

/** @throws anything but what says that the answer could not be fresh in time */
function staleOf(error: unknown): string {
  if (error instanceof StaleReadError || error instanceof TooLate) return error.message
  if (error instanceof TidemarkError && error.retryable) return error.message
  throw error
}

class TooLate extends Error {}

async function within(timeoutMs: number, since: number, work: Promise<void>): Promise<void> {
  const timer = Promise.withResolvers<void>()
  const late = new TooLate(`what was saved was not looked at within ${timeoutMs} ms`)
  const timeout = setTimeout(() => timer.reject(late), left(timeoutMs, since))
  try {
    await Promise.race([work, timer.promise])
  } finally {
    clearTimeout(timeout)
  }
}

function left(timeoutMs: number, since: number): number {
  return Math.max(0, Math.round(timeoutMs - (performance.now() - since)))
}

function ms(since: number): number {
  return Math.round((performance.now() - since) * 10) / 10
}
