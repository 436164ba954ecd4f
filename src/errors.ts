/**
 * Every error that Tidemark throws. The `code` is the stable part: it has a row in docs/errors.md, the server
 * answers with it and the CLI exits by it. `message` says what and where, `hint` what to do.
 */
export type ErrorCode =
  | 'BAD_STATEMENT'
  | 'BOOKMARK_EXPIRED'
  | 'CANNOT_LISTEN'
  | 'CLOSED'
  | 'DEADLINE_PASSED'
  | 'DEAD_LETTERED'
  | 'EFFECTS_PENDING'
  | 'EFFECT_REFUSED'
  | 'EMPTY_OPERATION'
  | 'FENCED'
  | 'GAVE_UP'
  | 'HISTORY_LOST'
  | 'INVALID_BOOKMARK'
  | 'INVALID_CALL'
  | 'INVALID_OPTIONS'
  | 'INVALID_SIGNATURE'
  | 'LIVE_ENDED'
  | 'LIVE_FULL'
  | 'LIVE_HELD'
  | 'LIVE_REJECTED'
  | 'MISSING_KEY'
  | 'NOT_REDRIVABLE'
  | 'NOT_SUPPORTED'
  | 'POSITION_LOST'
  | 'PROCESSOR_FAILED'
  | 'QUERY_BUSY'
  | 'QUERY_REFUSED'
  | 'QUERY_STOPPED'
  | 'QUEUE_FULL'
  | 'RECEIPT_TIMEOUT'
  | 'SESSION_BEHIND'
  | 'STALE_READ'
  | 'STORE_FAILED'
  | 'TARGET_FAILED'
  | 'TOO_LARGE'
  | 'TRANSACTION_FAILED'
  | 'UNBINDABLE_VALUE'
  | 'UNKNOWN_COLUMN'
  | 'UNKNOWN_TABLE'
  | 'WRITE_REJECTED'

/** Whether the operation in question took effect: surely not, or nobody can say (ask the database). */
export type Certainty = 'not-committed' | 'unknown'

interface ErrorDetails {
  readonly hint?: string
  readonly cause?: unknown
  readonly retryable?: boolean
  readonly outcome?: Certainty
}

/** What an error says, to be a part of what another one says: every message of ours begins with our name. */
export function unprefixed(message: string): string {
  return message.replace(/^tidemark: /, '')
}

export class TidemarkError extends Error {
  readonly code: ErrorCode
  /** What to do about it, in a sentence. */
  readonly hint: string | undefined
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean
  readonly outcome: Certainty

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(`tidemark: ${message}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.hint = details.hint
    this.retryable = details.retryable ?? false
    this.outcome = details.outcome ?? 'not-committed'
  }
}

/** The call itself was wrong. Nothing was queued. */
export class InvalidOperationError extends TidemarkError {
  constructor(code: ErrorCode, message: string, hint?: string) {
    super(code, `${message} Nothing was queued.`, hint === undefined ? {} : { hint })
  }
}

/** The queue holds as much as it may, or the preallocated ids of the table are used up. Nothing was queued. */
export class QueueFullError extends TidemarkError {
  /** An estimate of when there is room, from the rate of the last commits. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super('QUEUE_FULL', `${message} Nothing was queued.`, {
      retryable: true,
      hint: 'Wait for `db.ready()`, or raise `queue.maxOperations` or `queue.maxBytes`.',
    })
    this.retryAfterMs = retryAfterMs
  }
}

/** The store refused the operation for good. It is kept in the dead letters. */
export class WriteRejectedError extends TidemarkError {
  /** The store's own code, such as `SQLITE_CONSTRAINT_UNIQUE`. */
  readonly storeCode: string
  readonly deadLetter: number

  constructor(message: string, storeCode: string, deadLetter: number) {
    super('WRITE_REJECTED', message, {
      hint: `The operation is dead letter ${deadLetter}: see \`db.deadLetters()\`, mend the cause, then \`db.redrive([${deadLetter}])\`.`,
    })
    this.storeCode = storeCode
    this.deadLetter = deadLetter
  }
}

/** The engine has stopped or closed; nothing further is accepted. */
export class EngineStoppedError extends TidemarkError {}

/** The caller's wait is over; the operation is still pending and its receipt still settles. */
export class ReceiptTimeoutError extends TidemarkError {
  constructor(message: string, cause?: unknown) {
    super('RECEIPT_TIMEOUT', message, {
      cause,
      outcome: 'unknown',
      hint: 'Await the same receipt again. To send the write again, use a form that may be applied twice: an upsert, or an insert with a key of your own.',
    })
  }
}

/** A read could not be as fresh as it was to be within its time. It gave no rows. */
export class StaleReadError extends TidemarkError {
  readonly waitedMs: number

  constructor(message: string, waitedMs: number, cause?: unknown) {
    super('STALE_READ', `${message} No rows were read.`, {
      cause,
      retryable: true,
      hint: 'Read again, give it a longer `timeoutMs`, or ask for a level that waits for less.',
    })
    this.waitedMs = waitedMs
  }
}

/** The store lacks the capability. */
export class NotSupportedError extends TidemarkError {
  constructor(message: string, hint?: string) {
    super('NOT_SUPPORTED', message, hint === undefined ? {} : { hint })
  }
}

/**
 * Why a store could not do what it was asked.
 * `transient`: the same may succeed later. `chain`: the tidemark was not where the batch expected it;
 * nothing was changed. `fatal`: it will never succeed. `rejected`: this query or statement is at fault.
 */
export type StoreFailure = 'transient' | 'chain' | 'fatal' | 'rejected'

/** What a store fails with. */
export class StoreError extends TidemarkError {
  readonly failure: StoreFailure
  readonly storeCode: string | undefined

  constructor(
    failure: StoreFailure,
    message: string,
    details: { cause?: unknown; storeCode?: string | undefined; outcome?: Certainty; hint?: string } = {},
  ) {
    super('STORE_FAILED', message, { ...details, retryable: failure === 'transient' })
    this.failure = failure
    this.storeCode = details.storeCode
  }

  /** The same failure, of something of which a part may have been carried out. */
  withUnknownOutcome(): StoreError {
    const { failure, message, cause, storeCode, hint } = this
    const details = { cause, storeCode, outcome: 'unknown' as const, ...(hint === undefined ? {} : { hint }) }
    return new StoreError(failure, unprefixed(message), details)
  }
}
