/**
 * What every store needs to keep a bad operation from its neighbours: the parts of a batch that can be judged by
 * themselves, and the ways in which one breaks the transaction it shares.
 */
import type { DeadLetterId, Run, Step } from './contracts/operation.ts'
import type { Seq } from './contracts/position.ts'
import type { Batch, BatchOutcome } from './contracts/store.ts'

/** Why an operation is rejected. */
export interface Cause {
  readonly code: string
  readonly message: string
}

/** Ids of letters begin at 1. */
export const noLetter = 0 as DeadLetterId

/** An operation ended the batch's transaction. When it was one of many in a statement, `seq` is not known. */
export class TransactionEnded extends Error {
  readonly seq: Seq | undefined
  readonly reason: Cause

  constructor(seq: Seq | undefined, reason: Cause) {
    super(reason.message)
    this.seq = seq
    this.reason = reason
  }
}

/** COMMIT was refused: something that stands in the transaction may not stay. */
export class CommitViolation extends Error {
  readonly reason: Cause
  /** The operations that are known to be at fault. */
  readonly culprits: readonly Seq[]

  constructor(reason: Cause, culprits: readonly Seq[]) {
    super(reason.message)
    this.reason = reason
    this.culprits = culprits
  }
}

/** Those known to be at fault; where it cannot be told, the unit as a whole. */
export function culpritsOf({ culprits }: CommitViolation, { prev, last }: Batch): readonly Seq[] {
  if (culprits.length > 0) return culprits
  return Array.from({ length: last - prev }, (_, index) => (prev + index + 1) as Seq)
}

export function isDivisible(step: Step): boolean {
  return step.kind === 'run' && step.count > 1
}

/** The smallest pieces of a step that a constraint at COMMIT may judge. */
export function unitsOf(step: Step): { step: Step; positions: number }[] {
  if (step.kind !== 'run') return [{ step, positions: positionsOf(step) }]
  return Array.from({ length: step.count }, (_, index) => ({ step: operationAt(step, index), positions: 1 }))
}

/** One operation of a run, as a run of its own. */
export function operationAt(run: Run, index: number): Run {
  const { width } = run.shape
  return { ...run, count: 1, values: run.values.slice(index * width, (index + 1) * width) }
}

/** The outcomes of transactions that followed each other, as one. */
export function mergedOutcome(outcomes: readonly BatchOutcome[]): BatchOutcome {
  return {
    results: outcomes.flatMap(({ results }) => results),
    rejections: outcomes.flatMap(({ rejections }) => rejections),
    transactions: outcomes.reduce((sum, { transactions }) => sum + transactions, 0),
    longestTransactionMs: Math.max(0, ...outcomes.map((outcome) => outcome.longestTransactionMs)),
    derivationFailures: outcomes.flatMap(({ derivationFailures }) => derivationFailures ?? []),
  }
}

/** How many positions a step takes. */
export function positionsOf(step: Step): number {
  if (step.kind === 'group') return 1
  if (step.kind === 'run') return step.count
  return step.positions
}
