/** What tests of commands on a PostgreSQL server have in common: rows as another program sees them. */
import { expect, onTestFinished } from 'vitest'
import { Client } from 'pg'
import type { PostgresServer } from '../support/servers/postgres.ts'

/** A database that nobody else uses, and a connection to it. */
export class ServerDatabase {
  readonly url: string
  readonly #client: Client

  private constructor(url: string) {
    this.url = url
    this.#client = new Client({ connectionString: url })
    // The server is killed when the tests are over.
    this.#client.on('error', () => undefined)
  }

  static async on(server: PostgresServer): Promise<ServerDatabase> {
    const database = new ServerDatabase(await server.createDatabase())
    await database.#client.connect()
    onTestFinished(() => database.#client.end())
    return database
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#client.query<Record<string, unknown>>(sql)).rows
  }

  /** The one value that the query gives. */
  async value(sql: string): Promise<unknown> {
    return Object.values((await this.rows(sql))[0] ?? {})[0]
  }

  /** The numbers of the lines that are in the table `logs`, in the order in which they came. None while there is none. */
  async numbers(): Promise<number[]> {
    if ((await this.value("SELECT to_regclass('logs')")) === null) return []
    return (await this.rows("SELECT (attributes->>'n')::int AS n FROM logs ORDER BY id")).map(({ n }) =>
      Number(n),
    )
  }

  /** Lines 1 to `count`, each once, in the order of the file. */
  async expectLines(count: number): Promise<void> {
    const numbers = await this.numbers()
    const wrong = numbers.findIndex((n, index) => n !== index + 1)
    expect({ rows: numbers.length, wrong }, `the line at ${wrong} is ${numbers[wrong]}`).toEqual({
      rows: count,
      wrong: -1,
    })
  }
}
