/** What a durable flush promises on a server whose commits do not wait for its disk. */
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'

await withServer(embeddedPostgres, (server) => {
  test('law 8 · after a durable flush the log of every commit before it is on the disk', async () => {
    const url = await server.createDatabase()
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('CREATE TABLE songs (id bigint PRIMARY KEY)')
    const place = async (of: 'insert' | 'flush'): Promise<string> => {
      const { rows } = await client.query<{ place: string }>(
        `SELECT pg_current_wal_${of}_lsn() - '0/0' AS place`,
      )
      return rows[0]?.place ?? ''
    }
    await using db = await open(postgres(url, { synchronousCommit: 'off' }))
    // The server itself writes it to the disk every 200 ms: sooner or later one of these would find it there.
    for (let id = 0; id < 20; id++) {
      await db.insert('songs', { id })
      const written = await place('insert')
      await db.flush({ durable: true })
      expect(Number(await place('flush'))).toBeGreaterThanOrEqual(Number(written))
    }
    await client.end()
  })
})
