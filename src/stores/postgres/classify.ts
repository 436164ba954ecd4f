/** What goes wrong with a batch, as the engine is told. */
import { StoreError, TidemarkError, type Certainty, unprefixed } from '../../errors.ts'
import { codeOf, messageOf, toStoreError } from '../../sql/failure.ts'
import { postgresDialect } from './dialect.ts'

const divisionByZero = '22012'

/**
 * @param outcome what is open when the server has not said that it carried nothing out: its connection was lost, or it
 *   ended it itself, perhaps in the middle of COMMIT
 */
export function asStoreError(error: unknown, outcome: Certainty): StoreError {
  if (error instanceof StoreError) return error
  if (isServerError(error)) {
    const told = toStoreError(postgresDialect, error)
    if (told instanceof StoreError)
      return error.severity === 'ERROR' ? told : maybeEnded(told, error.severity, outcome)
  }
  if (error instanceof TidemarkError) return new StoreError('fatal', messageOf(error), { cause: error })
  // What cannot be written to the wire is the operation's own fault.
  if (error instanceof RangeError || error instanceof TypeError)
    return new StoreError('rejected', messageOf(error), { cause: error, storeCode: '22P02' })
  return new StoreError('transient', messageOf(error), { cause: error, storeCode: codeOf(error), outcome })
}

/** @param failedAt which of the batch's statements it was: 0 is BEGIN, 1 the fence */
export function asCommitError(error: unknown, failedAt: number, outcome: Certainty): StoreError {
  if (failedAt !== 1 || codeOf(error) !== divisionByZero) return asStoreError(error, outcome)
  const message = 'the tidemark is not where the batch expects it, or its epoch has ended.'
  return new StoreError('chain', message, { cause: error })
}

/** Class 42 is what a statement says of tables; 0A000 a plan whose result has changed, 26000 one that is gone. */
export function isAboutTables({ storeCode = '' }: StoreError): boolean {
  return storeCode.startsWith('42') || storeCode === '0A000' || storeCode === '26000'
}

function isServerError(
  error: unknown,
): error is Error & { readonly code: string; readonly severity: string } {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  )
}

/**
 * When the server ends the session no operation is at fault for that, and what was under way may have been carried out.
 * It says so in its own language: a word that is not known may mean it, or a plain error.
 */
function maybeEnded(told: StoreError, severity: string, outcome: Certainty): StoreError {
  const isEnded = severity === 'FATAL' || severity === 'PANIC'
  if (told.failure === 'rejected' && !isEnded) return told
  const { message, cause, storeCode, hint } = told
  const failure = told.failure === 'rejected' ? 'transient' : told.failure
  const details = { cause, storeCode, outcome, ...(hint === undefined ? {} : { hint }) }
  return new StoreError(failure, unprefixed(message), details)
}
