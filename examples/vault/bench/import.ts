/** A first import, the vault's way and the usual way: each write awaited, each piece embedded by itself. */
import { globSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Embedder } from '../embed/embedder.ts'
import type { StoreKind } from '../metadata/metadata.ts'
import { openMetadata } from '../metadata/open.ts'
import { openPlain, type Plain } from '../metadata/plain.ts'
import { keyOf } from '../metadata/tables.ts'
import { contentHash } from '../notes/read-note.ts'
import { splitNote } from '../notes/split.ts'
import { textHash, textOf } from '../pipeline/write-note.ts'
import { Vault } from '../pipeline/vault.ts'
import { Vectors } from '../vectors.ts'
import { copyCorpus } from './corpus.ts'

export type Side = 'vault' | 'usual'

export interface ImportOptions {
  /** Only one of the two. */
  readonly side: Side | undefined
  readonly folder: string
  readonly store: StoreKind
  readonly corpus: string | undefined
  readonly files: number
  readonly naivePieces: number
  /** Each text is embedded, also those whose vectors are known. */
  readonly forget: boolean
  readonly embedder: () => Embedder
  /** In one thread. */
  readonly naiveEmbedder: () => Embedder
  readonly say: (line: string) => void
}

interface ImportResult {
  readonly files: number
  readonly pieces: number
  readonly seconds: number
  /** Of all threads. */
  readonly cpuSeconds: number | undefined
}

export async function measureImport(options: ImportOptions): Promise<void> {
  const { folder, corpus, files, say } = options
  const notes = path.join(folder, 'notes')
  const found = copyCorpus(corpus, notes, files)
  say(`${found} Markdown files${found < files ? `: fewer than ${files}, see --corpus` : ''}`)
  const measure = async (
    name: Side,
    run: (notes: string, state: string, options: ImportOptions) => Promise<ImportResult>,
  ): Promise<number> => {
    if (options.side !== undefined && options.side !== name) return NaN
    const result = await run(notes, path.join(folder, name), options)
    say(`${name}: ${result.pieces} pieces, searchable after ${result.seconds.toFixed(1)} s: ${rate(result)}`)
    return result.seconds
  }
  const vault = await measure('vault', withVault)
  const ratio = (await measure('usual', usual)) / vault
  if (ratio > 0) say(`the vault is ${ratio.toFixed(2)} times as fast`)
}

function rate({ files, pieces, seconds, cpuSeconds }: ImportResult): string {
  const cpu =
    cpuSeconds === undefined
      ? 'reckoned in part'
      : `${((cpuSeconds * 1_000) / pieces).toFixed(1)} ms of a processor a piece`
  return `${(files / seconds).toFixed(1)} files/s, ${(pieces / seconds).toFixed(1)} pieces/s, ${cpu}`
}

async function withVault(notes: string, state: string, options: ImportOptions): Promise<ImportResult> {
  const { store, forget, say } = options
  const vault = await Vault.open({
    folder: notes,
    state,
    store,
    embedder: options.embedder(),
    ...(forget && { remembered: 0 }),
  })
  try {
    // A model that is loaded is what a running vault has; so is it below.
    await vault.embedder.embed(['warm'], AbortSignal.timeout(60_000))
    const since = performance.now()
    const cpu = process.cpuUsage()
    const stages = { committed: 0 }
    const end = vault.index.follow(({ stage }) => {
      if (stage === 'written') stages.committed = performance.now()
    })
    await vault.watch()
    await vault.settled(24 * 3_600_000)
    end()
    const seconds = (performance.now() - since) / 1_000
    const { asked, embedded } = vault.embedder.counts
    const { transactions, committed } = vault.metadata.db.stats()
    say(
      `vault: all committed after ${((stages.committed - since) / 1_000).toFixed(1)} s, ${committed.operations} operations in ${transactions.count} transactions; ${embedded} of ${asked} texts embedded, the others were known`,
    )
    const pieces = (await vault.metadata.piecesOf()).length
    return { files: vault.index.size, pieces, seconds, cpuSeconds: cpuSince(cpu) }
  } finally {
    await vault.close()
  }
}

/** One thread embeds; of `naivePieces`, evenly spread, and the time of the others is reckoned from theirs. 0: all */
async function usual(
  notes: string,
  state: string,
  { store, naiveEmbedder, naivePieces: most, say }: ImportOptions,
): Promise<ImportResult> {
  const embedder = naiveEmbedder()
  const plain = await plainWithTables(store, state)
  const vectors = new Vectors(path.join(state, 'vectors.db'), embedder.dimensions)
  const { signal } = new AbortController()
  const files = globSync('**/*.md', { cwd: notes })
  const total = files.reduce((sum, file) => sum + splitNote(textIn(notes, file)).pieces.length, 0)
  const every = most === 0 || most >= total ? 1 : total / most
  try {
    await embedder.embed(['warm'], signal)
    let [pieces, embedded, embeddingMs, writingMs] = [0, 0, 0, 0]
    const since = performance.now()
    const cpu = process.cpuUsage()
    for (const [version, file] of files.entries()) {
      const text = textIn(notes, file)
      const split = splitNote(text)
      const revision = String(version)
      const row = {
        path: file,
        stamp: '',
        hash: contentHash(Buffer.from(text)),
        revision,
        title: split.title,
      }
      const more = { size: text.length, pieces: split.pieces.length, problem: null, seen_ms: Date.now() }
      await plain.writeFile({ ...row, ...more, state: 'written', searchable_ms: null })
      for (const piece of split.pieces) {
        const key = keyOf(file, piece.n)
        const hash = textHash(textOf(piece))
        const before = performance.now()
        await plain.writePiece({ key, path: file, revision, ...piece, hash })
        writingMs += performance.now() - before
        if (Math.floor(++pieces / every) === embedded) continue
        embedded++
        const began = performance.now()
        const [vector] = await embedder.embed([textOf(piece)], signal)
        const position = { writer: '', epoch: 0, seq: 0 } as never
        const effect = {
          id: key,
          kind: 'embed',
          key,
          payload: null,
          version: version + 1,
          position,
          attempt: 1,
          committedAt: new Date(),
        }
        await vectors.write([{ effect, key, piece: { hash }, vector: vector as Float32Array }], signal)
        embeddingMs += performance.now() - began
      }
      await plain.markSearchable(file, Date.now())
    }
    const ms = performance.now() - since
    // All but the embedding is done of all pieces.
    const cpuSeconds = embedded < pieces ? undefined : cpuSince(cpu)
    const left = (embeddingMs / embedded) * (pieces - embedded)
    if (left > 0) say(`usual: ${embedded} of ${pieces} pieces embedded, the time of the others is reckoned`)
    say(
      `usual: ${(embeddingMs / embedded).toFixed(1)} ms to embed a piece and keep its vector, ${(writingMs / pieces).toFixed(1)} ms to write it`,
    )
    return { files: files.length, pieces, seconds: (ms + left) / 1_000, cpuSeconds }
  } finally {
    await plain.close()
    await vectors.close()
    await embedder.close()
  }
}

async function plainWithTables(store: StoreKind, folder: string): Promise<Plain> {
  mkdirSync(folder, { recursive: true })
  const plain = await openPlain(store, { folder })
  const { db } = await openMetadata({ kind: store, folder, client: plain.client }, {})
  await db.close()
  return plain
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000_000
}

function textIn(folder: string, file: string): string {
  return new TextDecoder().decode(readFileSync(path.join(folder, file)))
}
