/**
 * What the vault knows of each file, in memory: as it was last accepted, and how far that has come. The database follows.
 * Only the engine that writes has it whole: there is one a vault.
 */
import type { FileRow } from '../metadata/tables.ts'

/** `accepted`: not committed yet. `embedding`: its handler is at work. The rest is what its row says. */
export type Stage = 'accepted' | 'written' | 'embedding' | 'searchable' | 'refused' | 'failed'

export interface Entry {
  readonly stamp: string
  readonly hash: string
  readonly revision: string
  readonly pieces: number
  readonly stage: Stage
  readonly problem: string | null
  /** Since when it is at this stage, in ms since 1970. */
  readonly sinceMs: number
}

export interface Move {
  readonly path: string
  /** `seen`: something happened to the file. `gone`: it is no more. */
  readonly stage: Stage | 'seen' | 'gone'
  readonly atMs: number
  readonly problem?: string | null
}

export type Counts = Readonly<Record<Stage, number>>

export class NoteIndex {
  readonly #entries = new Map<string, Entry>()
  readonly #counts: Record<Stage, number> = {
    accepted: 0,
    written: 0,
    embedding: 0,
    searchable: 0,
    refused: 0,
    failed: 0,
  }
  readonly #listeners = new Set<(move: Move) => void>()

  constructor(rows: readonly FileRow[]) {
    for (const { path, stamp, hash, revision, pieces, state, problem, seen_ms: sinceMs } of rows) {
      // What went wrong may be well by now: it is read again.
      const isFine = state !== 'refused' && state !== 'failed'
      this.#set(path, {
        stamp: isFine ? stamp : '',
        hash: isFine ? hash : '',
        revision,
        pieces,
        stage: state,
        problem,
        sinceMs,
      })
    }
  }

  get counts(): Counts {
    return { ...this.#counts }
  }

  get size(): number {
    return this.#entries.size
  }

  get(path: string): Entry | undefined {
    return this.#entries.get(path)
  }

  paths(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Those at one of these stages. */
  at(...stages: readonly Stage[]): { readonly path: string; readonly entry: Entry }[] {
    if (stages.every((stage) => this.#counts[stage] === 0)) return []
    return [...this.#entries].flatMap(([path, entry]) =>
      stages.includes(entry.stage) ? [{ path, entry }] : [],
    )
  }

  accept(path: string, entry: Omit<Entry, 'stage' | 'sinceMs'>): void {
    this.#set(path, { ...entry, stage: 'accepted', sinceMs: Date.now() })
    this.tell(path, 'accepted')
  }

  touch(path: string, stamp: string): void {
    const entry = this.#entries.get(path)
    if (entry) this.#set(path, { ...entry, stamp })
  }

  /** What is found out about another revision than the newest is of no interest any more. */
  advance(path: string, revision: unknown, stage: Stage, problem: string | null = null): void {
    const entry = this.#entries.get(path)
    if (entry === undefined || entry.revision !== revision || entry.stage === stage) return
    // A handler can begin before the commit that it follows is told.
    if (stage === 'written' && entry.stage !== 'accepted') return
    this.#set(path, { ...entry, stage, problem, sinceMs: Date.now() })
    this.tell(path, stage, problem)
  }

  remove(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    this.#counts[entry.stage]--
    this.tell(path, 'gone')
  }

  /** @returns what ends it */
  follow(listener: (move: Move) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(path: string, stage: Move['stage'], problem: string | null = null): void {
    const move = { path, stage, atMs: Date.now(), problem }
    for (const listener of this.#listeners) listener(move)
  }

  #set(path: string, entry: Entry): void {
    const before = this.#entries.get(path)
    if (before) this.#counts[before.stage]--
    this.#counts[entry.stage]++
    this.#entries.set(path, entry)
  }
}
