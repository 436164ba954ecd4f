/** Queries, in a snapshot; and their answers as rows. */
import type { Epoch, Mark } from '../../contracts/position.ts'
import type { QueryResult, Snapshot, SqlQuery } from '../../contracts/store.ts'
import { NotSupportedError, StoreError, unprefixed } from '../../errors.ts'
import { holds } from '../../sql/bookkeeping.ts'
import { forgottenUpTo, readTidemarks, tidemarksOf } from './bookkeeping.ts'
import { toStoreError } from './classify.ts'
import { checkRead, withoutEnd } from './guard.ts'
import { Script } from './script.ts'
import type { Session } from './session.ts'
import { fromDatabase, isPlainObject, toDatabase } from './values.ts'

export class Reads {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** One statement is one snapshot. @throws StoreError */
  async query(query: SqlQuery): Promise<QueryResult> {
    check(query)
    return await asRead(async () => {
      const [answer] = await this.#session.ask(query.sql, parametersOf(query))
      return resultOf(answer)
    })
  }

  /** @throws StoreError */
  async snapshot(query: SqlQuery, required: readonly Mark[]): Promise<Snapshot> {
    check(query)
    return await asRead(async () => {
      const script = new Script()
      const marks = readTidemarks(script, required)
      const forgotten = script.add(forgottenUpTo)
      const asked = script.add(withoutEnd(query.sql))
      Object.assign(script.variables, parametersOf(query))
      const answers = await this.#session.together(script)
      const tidemarks = tidemarksOf(answers[marks])
      const [upTo] = answers[forgotten] as readonly number[]
      return {
        tidemarks,
        forgottenUpTo: (upTo ?? 0) as Epoch,
        result: holds(tidemarks, required) ? resultOf(answers[asked]) : undefined,
      }
    })
  }
}

/** `$p1`, `$p2`, … */
export function parametersOf({ parameters }: SqlQuery): Record<string, unknown> {
  return Object.fromEntries(parameters.map((value, index) => [`p${index + 1}`, toDatabase(value)]))
}

/** An answer that is no list is one row, and what is no record has its value in `value`. */
export function resultOf(answer: unknown): QueryResult {
  const answers = Array.isArray(answer) ? answer : answer === undefined || answer === null ? [] : [answer]
  const rows = answers.map((one: unknown) => fromDatabase(isPlainObject(one) ? one : { value: one }))
  return { rows, changes: rows.length, lastInsertId: undefined }
}

function check(query: SqlQuery): void {
  if (query.asArrays)
    throw new NotSupportedError('the fields of a record have no order.', 'Read rows as objects.')
  checkRead(query)
}

async function asRead<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const failed = toStoreError(error)
    if (!(failed instanceof StoreError) || failed.failure === 'transient') throw failed
    const { message, cause, storeCode } = failed
    throw new StoreError('rejected', unprefixed(message), { cause, storeCode })
  }
}
