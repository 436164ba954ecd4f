/** Why an engine stops, in words for the one who has to do something about it. */
import type { Seq } from '../contracts/position.ts'
import type { Tidemark } from '../contracts/store.ts'
import { EngineStoppedError, StoreError, unprefixed } from '../errors.ts'

/** A store fails with a `StoreError`; anything else is a fault of its own that no retry mends. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('fatal', `the store failed in a way it did not declare: ${String(error)}`, {
    cause: error,
    outcome: 'unknown',
  })
}

export function failedForGood(error: StoreError): EngineStoppedError {
  return stopped('STORE_FAILED', unprefixed(error.message), error)
}

export function gaveUp(error: StoreError): EngineStoppedError {
  return stopped('GAVE_UP', `gave up after \`retry.giveUpAfterMs\`: ${unprefixed(error.message)}`, error)
}

export function fenced(): EngineStoppedError {
  return new EngineStoppedError(
    'FENCED',
    'a newer engine has opened this writer name; this one has stopped.',
    {
      hint: 'Give each engine a writer name of its own, or leave `writer` out.',
    },
  )
}

export function historyLost(found: Pick<Tidemark, 'watermark' | 'exists'>, known: Seq): EngineStoppedError {
  const state = found.exists ? `its tidemark is ${found.watermark}` : 'it does not know this writer'
  return new EngineStoppedError(
    'HISTORY_LOST',
    `the database went back in time: ${state}, but ${known} was committed.`,
    {
      hint: 'It was restored, replaced or failed over. Compare it with what your application knows, then open it anew.',
    },
  )
}

export function closed(message: string): EngineStoppedError {
  return new EngineStoppedError('CLOSED', message, { hint: 'Open a new one.' })
}

export function deadlinePassed(timeoutMs: number, left: number): EngineStoppedError {
  return new EngineStoppedError(
    'DEADLINE_PASSED',
    `close() could not commit everything within ${timeoutMs} ms; ${left} operations were abandoned.`,
    { outcome: 'unknown' },
  )
}

function stopped(code: 'STORE_FAILED' | 'GAVE_UP', message: string, cause: StoreError): EngineStoppedError {
  return new EngineStoppedError(code, message, {
    cause,
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
  })
}
