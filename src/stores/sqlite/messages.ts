/**
 * What the main thread and the threads of the store say to each other.
 *
 * A thread answers requests in order. A batch too large for one message comes in several: `steps` messages,
 * then the `commit` that ends them (a message of many megabytes would block the event loop while it is copied).
 */
import { unprefixed } from '../../errors.ts'
import type { Derivation } from '../../contracts/derivation.ts'
import type { Segment } from '../../contracts/effect.ts'
import type { Group, Load, Run, Step } from '../../contracts/operation.ts'
import type { Epoch, Mark, Seq, WriterName } from '../../contracts/position.ts'
import type {
  BatchOutcome,
  DatabaseIdentity,
  IdRange,
  Snapshot,
  SqlQuery,
  Tidemark,
  WriterTidemark,
} from '../../contracts/store.ts'
import type { Certainty, StoreFailure } from '../../errors.ts'
import { StoreError } from '../../errors.ts'
import type { SqliteSettings } from './options.ts'
import type { PackedResult } from './queries.ts'
import type { DatabaseSchema } from './schema.ts'

/** How a thread is started. A writer without epoch begins a new one; with one, it takes up where a lost thread was. */
export interface ThreadSettings {
  readonly role: 'writer' | 'reader' | 'checkpointer'
  readonly path: string
  readonly settings: SqliteSettings
  readonly writer: WriterName
  readonly leaseMs: number
  /** For a database that has none yet. */
  readonly newIdentity: DatabaseIdentity
  readonly epochStep: number
  readonly derivations: readonly Derivation[]
  readonly epoch: Epoch | undefined
}

/** The write-ahead log, in pages. */
export interface LogState {
  readonly pages: number
  readonly copiedBack: number
}

/** Readers and checkpointers only learn that they are open. */
interface OpenAnswer {
  readonly epoch: Epoch
  readonly identity: DatabaseIdentity | undefined
  readonly schema: DatabaseSchema | undefined
}

/** Each request with what it is answered. */
export interface Requests {
  open: { request: object; answer: OpenAnswer }
  commit: {
    request: { prev: Seq; last: Seq; pieces: readonly Piece[]; segments: readonly Segment[] }
    answer: BatchOutcome & { readonly log: LogState | undefined }
  }
  begin: { request: { prev: Seq }; answer: undefined }
  reserve: { request: { table: string; count: number }; answer: readonly IdRange[] }
  query: { request: SqlQuery; answer: PackedResult }
  snapshot: { request: { query: SqlQuery; required: readonly Mark[] }; answer: Snapshot }
  endEpoch: { request: { seen: WriterTidemark }; answer: boolean }
  end: { request: { how: 'commit' | 'rollback'; segments: readonly Segment[] }; answer: undefined }
  recover: { request: { since: Seq }; answer: Tidemark }
  sync: { request: object; answer: undefined }
  reload: { request: object; answer: DatabaseSchema }
  checkpoint: { request: object; answer: LogState }
  close: { request: object; answer: undefined }
}

export type RequestKind = keyof Requests
export type Request = { [K in RequestKind]: { readonly kind: K } & Requests[K]['request'] }[RequestKind]
/** A part of a batch is what comes before the request to commit it. */
export type Message =
  | Request
  | { readonly kind: 'part'; readonly pieces: readonly Piece[]; readonly segments: readonly Segment[] }

export type Reply =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly failure: FailureMessage }
  | { readonly kind: 'schema'; readonly schema: DatabaseSchema }

export interface FailureMessage {
  readonly failure: StoreFailure
  readonly message: string
  readonly storeCode: string | undefined
  readonly outcome: Certainty
  readonly hint: string | undefined
}

export function packFailure(error: StoreError): FailureMessage {
  const { failure, message, storeCode, outcome, hint } = error
  return { failure, message: unprefixed(message), storeCode, outcome, hint }
}

export function unpackFailure({ failure, message, storeCode, outcome, hint }: FailureMessage): StoreError {
  return new StoreError(failure, message, { storeCode, outcome, ...(hint === undefined ? {} : { hint }) })
}

/** A step, or a part of one: the runs of a large group or load are spread over several messages. */
export interface Piece {
  readonly step: Step
  /** Its runs belong to the step that the piece before began. */
  readonly continues: boolean
}

/** Splits steps into messages of about `maxBytes`; a single run may exceed it by one row. */
export function splitSteps(steps: readonly Step[], maxBytes: number): Piece[][] {
  const messages = new Messages<Piece>(maxBytes)
  for (const step of steps) {
    if (step.kind === 'run') messages.add({ step, continues: false }, step.bytes)
    else if (step.runs.length < 2) messages.add({ step, continues: false }, step.runs[0]?.bytes ?? 0)
    else
      for (const [index, run] of step.runs.entries()) {
        // What a load has beside its rows goes with the first piece only.
        const first =
          index === 0 || step.kind === 'group' ? step : { ...step, letters: [], checkpoint: undefined }
        messages.add({ step: { ...first, runs: [run] }, continues: index > 0 }, run.bytes)
      }
  }
  return messages.all
}

/** Splits segments in the same way. */
export function splitSegments(segments: readonly Segment[], maxBytes: number): Segment[][] {
  const messages = new Messages<Segment>(maxBytes)
  for (const segment of segments) messages.add(segment, 2 * segment.content.length)
  return messages.all
}

/** What is added fills one message after the other. */
class Messages<T> {
  readonly all: T[][] = [[]]
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(part: T, bytes: number): void {
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      this.all.push([])
      this.#bytes = 0
    }
    this.all.at(-1)?.push(part)
    this.#bytes += bytes
  }
}

export function joinPieces(pieces: readonly Piece[]): Step[] {
  const steps: Step[] = []
  for (const { step, continues } of pieces) {
    const before = steps.at(-1)
    if (continues && before && before.kind !== 'run' && step.kind !== 'run')
      steps[steps.length - 1] = withRuns(before, step.runs)
    else steps.push(step)
  }
  return steps
}

function withRuns(step: Group | Load, more: readonly Run[]): Group | Load {
  // Pushed in place: a step of many pieces would otherwise be copied once for each.
  ;(step.runs as Run[]).push(...more)
  return step
}
