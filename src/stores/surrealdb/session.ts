/** Where statements run: the client, or a transaction of its. */
import type { Surreal, SurrealQueryable, SurrealTransaction } from 'surrealdb'
import { StoreError } from '../../errors.ts'
import type { Script } from './script.ts'

/** Said of every statement but the one at fault. */
const bystander = /was not executed due to a (?:failed|cancelled) transaction/

export class Session {
  readonly #client: Surreal
  /** Past the deadline of `close` nothing more is sent. */
  isLetGo = false

  constructor(client: Surreal) {
    this.#client = client
  }

  /** Runs statements each by itself. @returns the answer of each */
  async ask(text: string, variables?: Record<string, unknown>): Promise<readonly unknown[]> {
    return await run(this.#open, text, variables)
  }

  /** Runs them as one transaction. @throws what the one at fault threw; nothing is changed then */
  async together({ statements, variables }: Script): Promise<readonly unknown[]> {
    const text = ['BEGIN TRANSACTION', ...statements, 'COMMIT TRANSACTION'].join(';\n')
    return (await run(this.#open, text, variables)).slice(1)
  }

  async begin(): Promise<Transaction> {
    return new Transaction(await this.#open.beginTransaction())
  }

  get #open(): Surreal {
    if (this.isLetGo) throw new StoreError('fatal', 'the store was closed')
    return this.#client
  }
}

/** A transaction that is open. A statement that fails may leave a part of what it did behind: then cancel it. */
export class Transaction {
  readonly #transaction: SurrealTransaction
  #ending: Promise<void> | undefined

  constructor(transaction: SurrealTransaction) {
    this.#transaction = transaction
  }

  async run({ statements, variables }: Script): Promise<readonly unknown[]> {
    return await this.ask(statements.join(';\n'), variables)
  }

  async ask(text: string, variables?: Record<string, unknown>): Promise<readonly unknown[]> {
    return await run(this.#transaction, text, variables)
  }

  async commit(): Promise<void> {
    await (this.#ending = this.#transaction.commit())
  }

  /** Never fails: what cannot be cancelled has ended already, or ends with its connection. It waits for a COMMIT under way. */
  async cancel(): Promise<void> {
    await (this.#ending ??= this.#transaction.cancel()).catch(() => undefined)
  }
}

async function run(
  on: SurrealQueryable,
  text: string,
  variables?: Record<string, unknown>,
): Promise<readonly unknown[]> {
  const responses = await on.query(text, variables).responses()
  const errors = responses.flatMap((response) => (response.success ? [] : [response.error]))
  const [first] = errors
  if (first !== undefined) throw errors.find(({ message }) => !bystander.test(message)) ?? first
  return responses.map((response) => (response.success ? response.result : undefined))
}
