/** A note becomes rows: one group, all or nothing, that carries the work which makes them searchable. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Metadata } from '../metadata/metadata.ts'
import { keyOf, type DB, type FileRow } from '../metadata/tables.ts'
import { splitNote, type Piece } from '../notes/split.ts'
import { QueueFullError, type Group, type Receipt } from '../tidemark.ts'
import type { Entry } from './index.ts'

/** Pieces in one effect: a book is embedded a part at a time, each within the time that a handler has. */
const piecesInEffect = 16
/** More of them are a file of data that ends in .md. */
const maxPieces = 4_000
/** The longest path, in characters: it is the key of effects, and part of the keys of pieces. */
export const maxPathLength = 400

/** What an effect is about: some pieces of one content of one file, in the order of their numbers. */
export interface EmbedPayload {
  readonly path: string
  /** Null: the file is gone. */
  readonly revision: string | null
  readonly from: number
  readonly to: number
  readonly isLast: boolean
  /** Vectors of pieces from `to` up to this number are of earlier content. */
  readonly dropUpTo: number
}

export interface SeenNote {
  readonly path: string
  readonly stamp: string
  readonly hash: string
  readonly size: number
  readonly text: string
}

export type Written = Pick<Entry, 'stamp' | 'hash' | 'revision' | 'pieces' | 'problem'>

/** A receipt in a box: an async function that returned one would wait for its commit. */
export interface Accepted {
  readonly receipt: Receipt
}

/** Knows how to write into one vault; what was there before it is told. */
export class NoteWriter {
  readonly #metadata: Metadata

  constructor(metadata: Metadata) {
    this.#metadata = metadata
  }

  /** @returns once it is accepted; what the row says from then on */
  async write(note: SeenNote, before: Entry | undefined): Promise<Written & Accepted> {
    const { title, pieces } = splitNote(note.text)
    if (pieces.length > maxPieces)
      return await this.refuse(note, `it has more than ${maxPieces} pieces`, before)
    const revision = randomUUID()
    const row = rowOf(note, { revision, title, pieces: pieces.length, state: 'written', problem: null })
    const accepted = await this.#accept((group) => {
      const effects = partsOf(note.path, revision, pieces.length, before?.pieces ?? 0)
      group.upsert('files', row, { effects: effects.map(effectOf) })
      for (const piece of pieces) group.upsert('pieces', pieceRow(note.path, revision, piece))
      dropPieces(group, note.path, pieces.length, before)
    })
    return { ...row, ...accepted }
  }

  /** Nothing of it is to be found any more, and its row says why. */
  async refuse(
    note: Omit<SeenNote, 'text' | 'hash'>,
    problem: string,
    before: Entry | undefined,
  ): Promise<Written & Accepted> {
    const revision = randomUUID()
    const row = rowOf({ ...note, hash: '' }, { revision, title: null, pieces: 0, state: 'refused', problem })
    const accepted = await this.#accept((group) => {
      group.upsert('files', row, { effects: droppings(note.path, before) })
      dropPieces(group, note.path, 0, before)
    })
    return { ...row, ...accepted }
  }

  async remove(path: string, before: Entry): Promise<Accepted> {
    return await this.#accept((group) => {
      group.delete('files', { path }, { effects: droppings(path, before) })
      dropPieces(group, path, 0, before)
    })
  }

  /** The same content, and another time of change. */
  touch(path: string, stamp: string): void {
    this.#metadata.db.update('files', { path }, { stamp })
  }

  /** Waits while the queue is full: the disk keeps what was not read yet. */
  async #accept(collect: (group: Group<DB>) => void): Promise<Accepted> {
    const { db } = this.#metadata
    for (;;) {
      if (db.isFull) await db.ready()
      try {
        return { receipt: db.atomic(collect) }
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error
        // There is room, and less than this note needs.
        await db.ready()
        await wait(error.retryAfterMs ?? 1)
      }
    }
  }
}

export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

/** What is embedded of a piece. */
export function textOf({ heading, text }: Pick<Piece, 'heading' | 'text'>): string {
  return heading === '' ? text : `${heading}\n${text}`
}

function rowOf(
  { path, stamp, hash, size }: Omit<SeenNote, 'text'>,
  found: Pick<FileRow, 'revision' | 'title' | 'pieces' | 'state' | 'problem'>,
): FileRow {
  return { path, stamp, hash, size, ...found, seen_ms: Date.now(), searchable_ms: null }
}

function pieceRow(path: string, revision: string, piece: Piece): DB['pieces'] {
  return { key: keyOf(path, piece.n), path, revision, ...piece, hash: textHash(textOf(piece)) }
}

function dropPieces(group: Group<DB>, path: string, from: number, before: Entry | undefined): void {
  for (let n = from; n < (before?.pieces ?? 0); n++) group.delete('pieces', { key: keyOf(path, n) })
}

/** Also of a note without pieces: what becomes searchable then is that there are none. */
function partsOf(path: string, revision: string, pieces: number, before: number): EmbedPayload[] {
  const parts: EmbedPayload[] = []
  for (let from = 0; from === 0 || from < pieces; from += piecesInEffect) {
    const to = Math.min(from + piecesInEffect, pieces)
    const isLast = to === pieces
    parts.push({ path, revision, from, to, isLast, dropUpTo: isLast ? Math.max(to, before) : to })
  }
  return parts
}

function droppings(
  path: string,
  before: Entry | undefined,
): { readonly kind: string; readonly key: string; readonly payload: EmbedPayload }[] {
  const dropUpTo = before?.pieces ?? 0
  if (dropUpTo === 0) return []
  return [effectOf({ path, revision: null, from: 0, to: 0, isLast: true, dropUpTo })]
}

function effectOf(payload: EmbedPayload): {
  readonly kind: string
  readonly key: string
  readonly payload: EmbedPayload
} {
  return { kind: 'embed', key: payload.path, payload }
}
