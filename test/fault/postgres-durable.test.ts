/** What is promised on a server whose commits do not wait for its disk. */
import { sql } from 'kysely'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'

// The server itself writes its log to the disk every 200 ms: sooner or later one of these would find it there.
const times = 20

await withServer(embeddedPostgres, (server) => {
  test('law 8 · after a durable flush the log of every commit before it is on the disk', async () => {
    await using at = await Place.of(await server.createDatabase())
    await using db = await open(postgres(at.url, { synchronousCommit: 'off' }))
    for (let id = 0; id < times; id++) {
      await db.insert('songs', { id })
      const written = await at.written()
      await db.flush({ durable: true })
      expect(await at.onDisk()).toBeGreaterThanOrEqual(written)
    }
  })

  test('law 8 · no effect is delivered before the log of its commit is on the disk', async () => {
    await using at = await Place.of(await server.createDatabase())
    await using db = await open(postgres(at.url, { synchronousCommit: 'off' }))
    for (let id = 0; id < times; id++) {
      await db.insert('songs', { id }, { effects: [{ kind: 'embed' }] })
      const written = await at.written()
      const delivered = Promise.withResolvers<number>()
      const handling = await db.effects.handle('embed', async () => delivered.resolve(await at.onDisk()))
      expect(await delivered.promise).toBeGreaterThanOrEqual(written)
      await handling.stop()
    }
  })

  test('law 8 · nor is the effect of a transaction that alone does not wait for the disk', async () => {
    await using at = await Place.of(await server.createDatabase())
    await using db = await open(postgres(at.url))
    const delivered: number[] = []
    await db.effects.handle('embed', async () => void delivered.push(await at.onDisk()))
    for (let id = 0; id < times; id++) {
      const written = await db.transaction(async (trx, enqueue) => {
        await sql`SELECT set_config('synchronous_commit', 'off', true)`.execute(trx)
        enqueue({ kind: 'embed', payload: id })
        return await at.written()
      })
      await db.effects.ready('embed', { below: 1 })
      expect(delivered.at(-1)).toBeGreaterThan(written)
    }
  })
})

/** How far a server has come in its log. */
class Place implements AsyncDisposable {
  readonly url: string
  readonly #client: Client

  private constructor(url: string, client: Client) {
    this.url = url
    this.#client = client
  }

  static async of(url: string): Promise<Place> {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('CREATE TABLE songs (id bigint PRIMARY KEY)')
    return new Place(url, client)
  }

  written(): Promise<number> {
    return this.#read('insert')
  }

  onDisk(): Promise<number> {
    return this.#read('flush')
  }

  async #read(of: 'insert' | 'flush'): Promise<number> {
    const { rows } = await this.#client.query<{ place: string }>(
      `SELECT pg_current_wal_${of}_lsn() - '0/0' AS place`,
    )
    return Number(rows[0]?.place)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}
