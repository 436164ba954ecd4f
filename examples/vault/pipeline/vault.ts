/**
 * A vault: a folder of notes, what is known of them, and what makes them searchable.
 *
 *   event ─▶ look ─▶ read ─▶ one group: file, pieces, effects ─▶ commit ─▶ embed ─▶ vectors ─▶ ack: searchable
 *   seen                     accepted                           written    embedding           with the ack's own commit
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Embedder } from '../embed/embedder.ts'
import { remembering, type Remembering } from '../embed/remembering.ts'
import type { Metadata, MetadataPlace, StoreKind } from '../metadata/metadata.ts'
import { openMetadata } from '../metadata/open.ts'
import { readNote, type Reading } from '../notes/read-note.ts'
import { TidemarkError, type HandleOptions } from '../tidemark.ts'
import { stateOf } from '../state-folder.ts'
import { Vectors } from '../vectors.ts'
import { Embedding } from './embedding.ts'
import { follow } from './follow.ts'
import { NoteIndex } from './index.ts'
import { Looks } from './looks.ts'
import { FolderWatch, isNote } from './watch.ts'
import { maxPathLength, NoteWriter, type Accepted, type Written } from './write-note.ts'

export interface VaultOptions {
  readonly folder: string
  /** Where the vault keeps what is its own. Default `.vault` in the folder. */
  readonly state?: string | undefined
  readonly store?: StoreKind
  readonly url?: string | undefined
  readonly client?: MetadataPlace['client']
  readonly embedder: Embedder
  /** The engine's name, the same each time: whoever opens it next takes over at once. */
  readonly writer?: string
  readonly handling?: Pick<
    HandleOptions<never>,
    'batch' | 'concurrency' | 'retryFirstMs' | 'retryMaxMs' | 'timeoutMs'
  >
  /** Of another embedder than the vault's: its vectors are made again (the default), or it is not opened. */
  readonly ofAnother?: 'rebuild' | 'refuse'
  /** Texts whose vectors are kept in memory: the same text is embedded once. Default 20,000. */
  readonly remembered?: number
  readonly settleMs?: number
  readonly lingerMs?: number
  readonly maxPageCount?: number | undefined
  /** What a person should know, in one line. */
  readonly onNotice?: (notice: string) => void
}

/** How often those that could not be read are looked at again, in ms: a change of permissions is no event. */
const refusedAgainMs = 10_000

export class Vault {
  readonly folder: string
  readonly state: string
  readonly metadata: Metadata
  readonly vectors: Vectors
  readonly embedder: Remembering
  readonly index: NoteIndex
  readonly looks: Looks
  readonly #writer: NoteWriter
  readonly #notice: (notice: string) => void
  readonly #ends: (() => void)[] = []
  readonly #turns = new Map<string, Promise<void>>()
  #watch: FolderWatch | undefined
  #isClosed = false

  private constructor(
    { folder, embedder, remembered, onNotice, settleMs = 30 }: VaultOptions,
    state: string,
    metadata: Metadata,
    vectors: Vectors,
    index: NoteIndex,
  ) {
    this.folder = path.resolve(folder)
    this.state = state
    this.metadata = metadata
    this.vectors = vectors
    this.embedder = remembering(embedder, remembered)
    this.index = index
    this.#writer = new NoteWriter(metadata)
    this.#notice = onNotice ?? (() => undefined)
    this.looks = new Looks((note) => this.#look(note), { settleMs, atOnce: 16, againMs: 50 })
  }

  static async open(options: VaultOptions): Promise<Vault> {
    const state = stateOf(options)
    mkdirSync(state, { recursive: true, mode: 0o700 })
    const { store: kind = 'surrealdb', url, client, maxPageCount, writer = 'vault', lingerMs = 5 } = options
    const metadata = await openMetadata(
      { kind, folder: state, url, client, maxPageCount },
      { writer, queue: { maxOperations: 40_000, maxBytes: 64 * 2 ** 20 }, batch: { lingerMs } },
    )
    try {
      const wanted = `${options.embedder.name} in ${kind}`
      await requireVectors(metadata, state, wanted, options.ofAnother ?? 'rebuild')
      const vectors = new Vectors(path.join(state, 'vectors.db'), options.embedder.dimensions)
      await vectors.probe()
      const vault = new Vault(options, state, metadata, vectors, new NoteIndex(await metadata.files()))
      await vault.#start(options.handling ?? {})
      return vault
    } catch (error) {
      await metadata.db.close().catch(() => undefined)
      throw error
    }
  }

  /** Follows the folder from now on. @returns once all that is there, and what is gone, has been seen */
  async watch(): Promise<void> {
    const scanned = Promise.withResolvers<void>()
    this.#watch = new FolderWatch(this.folder, {
      onPath: (note) => this.see(note),
      onScanned: (found) => {
        for (const note of this.index.paths()) if (!found.has(note)) this.see(note)
        this.#notice(`watching ${this.folder}: ${found.size} notes`)
        scanned.resolve()
      },
      onFolder: (is) => {
        if (is === 'gone') this.looks.hold()
        else this.looks.resume()
        this.#notice(
          is === 'gone'
            ? `${this.folder} is gone. What is known of its notes is kept; waiting for it.`
            : `${this.folder} is back.`,
        )
      },
      onTrouble: (problem) => this.#notice(problem),
    })
    this.#watch.start()
    const timer = setInterval(() => {
      for (const { path: note } of this.index.at('refused')) this.looks.see(note)
    }, refusedAgainMs)
    timer.unref()
    this.#ends.push(
      () => clearInterval(timer),
      () => scanned.resolve(),
    )
    await scanned.promise
  }

  see(note: string): void {
    this.index.tell(note, 'seen')
    this.looks.see(note)
  }

  /** Resolves when nothing that was seen before the call is under way any more, be it searchable or not. */
  async settled(timeoutMs = 600_000): Promise<void> {
    await this.looks.settled()
    const { db } = this.metadata
    await db.flush()
    await db.effects.ready('embed', { below: 1, timeoutMs })
    await db.flush()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#watch?.close()
    this.looks.close()
    for (const end of this.#ends) end()
    try {
      await this.metadata.db.close()
    } finally {
      await this.embedder.close()
      await this.vectors.close()
    }
  }

  async #start(handling: NonNullable<VaultOptions['handling']>): Promise<void> {
    const { db } = this.metadata
    this.#ends.push(db.follow(this.looks), follow(db, this.index, this.#notice))
    const embedding = new Embedding(this.metadata, this.vectors, this.embedder, this.index)
    await db.effects.handle('embed', (effects, { signal }) => embedding.deliver(effects, signal), {
      batch: 8,
      concurrency: 3,
      retryMaxMs: 30_000,
      ...handling,
    })
  }

  /** Looks at what is there, and accepts what has changed. */
  async #look(note: string): Promise<'done' | 'again'> {
    if (!isNote(note)) return 'done'
    try {
      const before = this.index.get(note)
      const reading = await readNote(this.folder, note, before?.stamp)
      if (this.#isClosed || reading.kind === 'same') return 'done'
      if (reading.kind === 'moving') return 'again'
      if (reading.kind === 'gone') return await this.#remove(note)
      const problem = problemWith(note, reading)
      if (problem !== undefined) {
        if (before?.stage === 'refused' && before.problem === problem) return 'done'
        const { stamp, size } = reading
        await this.#write(note, (was) => this.#writer.refuse({ path: note, stamp, size }, problem, was))
        this.#notice(`${note.slice(0, maxPathLength)}: ${problem}. It is left out.`)
      } else if (reading.kind === 'note' && before?.hash === reading.hash) {
        this.#writer.touch(note, reading.stamp)
        this.index.touch(note, reading.stamp)
      } else if (reading.kind === 'note')
        await this.#write(note, (was) => this.#writer.write({ path: note, ...reading }, was))
      return 'done'
    } catch (error) {
      // An engine that has stopped takes nothing any more, and has said why.
      if (this.#isClosed || (error instanceof TidemarkError && !error.retryable)) return 'done'
      this.#notice(`${note}: ${error instanceof Error ? error.message : String(error)}. It is tried again.`)
      return 'again'
    }
  }

  async #remove(note: string): Promise<'done' | 'again'> {
    const before = this.index.get(note)
    if (before === undefined) return 'done'
    if (this.#watch && !(await this.#watch.isThere())) {
      void this.#watch.missing()
      return 'again'
    }
    await this.#writer.remove(note, before)
    this.index.remove(note)
    return 'done'
  }

  /** One after the other for each note: what is written depends on what is there. */
  async #write(
    note: string,
    write: (before: ReturnType<NoteIndex['get']>) => Promise<Written & Accepted>,
  ): Promise<Accepted> {
    const turn = (this.#turns.get(note) ?? Promise.resolve()).then(async () => {
      const { receipt, ...written } = await write(this.index.get(note))
      this.index.accept(note, written)
      return { receipt }
    })
    const over = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#turns.set(note, over)
    void over.then(() => this.#turns.get(note) === over && this.#turns.delete(note))
    return await turn
  }
}

function problemWith(
  note: string,
  reading: Extract<Reading, { readonly kind: 'note' | 'refused' }>,
): string | undefined {
  if (reading.kind === 'refused') return reading.problem
  return note.length > maxPathLength ? `its path has more than ${maxPathLength} characters` : undefined
}

/**
 * Vectors of another embedder, or none where rows say that there are, are made again: rows say so first, so that a crash in
 * between leaves no row that claims what is not there. So are those of rows in another store: versions begin anew there, and
 * a vector is not replaced by one of an earlier version.
 */
async function requireVectors(
  metadata: Metadata,
  state: string,
  wanted: string,
  ofAnother: 'rebuild' | 'refuse',
): Promise<void> {
  const file = path.join(state, 'vectors.db')
  const note = path.join(state, 'vectors-of')
  const its = existsSync(note) ? readFileSync(note, 'utf8') : undefined
  const isSame = its === wanted
  if (its !== undefined && !isSame && ofAnother === 'refuse')
    throw new Error(`The vectors of this vault are of ${its}, not ${wanted}: see --embedder and --store.`)
  if (isSame && existsSync(file)) return
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
  const { db } = metadata
  for (const row of await metadata.files()) {
    if (db.isFull) await db.ready()
    db.update('files', { path: row.path }, { stamp: '', hash: '', state: 'written', searchable_ms: null })
  }
  await db.flush()
  writeFileSync(`${note}.new`, wanted)
  renameSync(`${note}.new`, note)
}
