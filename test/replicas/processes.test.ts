/** Many processes on one database, each with a writer of its own: they wait for each other, stall and die. */
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { Child } from '../support/child.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, untilAt } from '../support/servers/postgres.ts'
import { count, standOn } from './stand.ts'

await withServer(embeddedPostgres, (server) => {
  test('law 6 · four processes read at each other’s bookmarks; who waits makes the others commit what lingers', async () => {
    const { url } = await standOn(server, [])
    const workers = ['a', 'b', 'c', 'd'].map(
      (writer) => new Child(new URL('worker-process.ts', import.meta.url), [url, writer]),
    )
    await Promise.all(workers.map((worker) => worker.said('open')))
    for (let round = 1; round <= 5; round++) {
      for (const worker of workers) worker.tell(`write ${round} 25`)
      const bookmarks = await Promise.all(workers.map((worker) => worker.said(`wrote-${round}`)))
      // Nobody waits for its own: each commits because the others call.
      for (const [index, worker] of workers.entries())
        worker.tell(`read ${round} ${bookmarks.toSpliced(index, 1).join(',')}`)
      const counts = await Promise.all(workers.map((worker) => worker.said(`read-${round}`)))
      for (const found of counts.map(Number)) {
        expect(found).toBeGreaterThanOrEqual(round * 75)
        expect(found).toBeLessThanOrEqual(round * 100)
      }
    }
    for (const worker of workers) worker.endInput()
    for (const worker of workers) expect(await worker.ended, worker.stderr).toEqual({ code: 0, signal: null })
    expect(
      await server.query('SELECT title, count(*)::int FROM songs GROUP BY title ORDER BY title', url),
    ).toEqual(['a', 'b', 'c', 'd'].map((title) => ({ title, count: 125 })))
  })

  test('law 3 · a process that stalls in the middle of a batch keeps its name no longer than the server allows, and adds nothing', async () => {
    const { url } = await standOn(server, [])
    const stalled = new Child(new URL('stalled-process.ts', import.meta.url), [url, 'w'])
    await untilAt(
      url,
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'stalled' AND state = 'idle in transaction'
       AND clock_timestamp() - state_change > interval '200 ms'`,
    )
    await using newer = await open<{ songs: { title: string } }>(postgres(url), { writer: 'w' })
    await newer.insert('songs', { title: 'newer' })
    stalled.resume()
    const [code, committed, unsettled] = (await stalled.said('stopped')).split(' ')
    expect({ code, committed, unsettled }).toEqual({ code: 'FENCED', committed: '1', unsettled: '0' })
    expect(await server.query('SELECT title FROM songs ORDER BY id', url)).toEqual([
      { title: 'before' },
      { title: 'newer' },
    ])
  })

  test('law 6 · a process that stands still for its lease is taken for dead by who waits for it, and wakes up fenced', async () => {
    const { url } = await standOn(server, [])
    const silent = new Child(new URL('accepting-process.ts', import.meta.url), [url, 'silent'])
    const [committed, accepted] = [await silent.said('committed'), await silent.said('accepted')]
    silent.pause()
    await server.query('UPDATE tidemark_writers SET lease_ms = 100', url)
    await using db = await open(postgres(url))
    const read = (after: string) => db.query(count, { after, timeoutMs: 60_000 })
    expect((await read(committed)).rows).toEqual([{ count: 1 }])
    await expect(read(accepted)).rejects.toMatchObject({ code: 'POSITION_LOST' })
    // It was only asleep; but what was told lost stays lost.
    silent.resume()
    expect(await silent.said('ended')).toBe('FENCED')
    expect((await read(committed)).rows).toEqual([{ count: 1 }])
  })

  test('law 7 · while nobody waits for another process, nothing is called out', async () => {
    const { url } = await standOn(server, [])
    await using one = await open(postgres(url))
    await using other = await open(postgres(url))
    const heard: string[] = []
    const client = new Client({ connectionString: url })
    await client.connect()
    client.on('notification', ({ payload }) => void heard.push(payload ?? ''))
    const [row] = await server.query('SELECT id FROM tidemark_database', url)
    await client.query(`LISTEN tidemark_${String(row?.['id'])}`)
    for (let n = 0; n < 20; n++) await one.insert('songs', { title: 'a' })
    const receipt = one.insert('songs', { title: 'b' })
    await receipt
    await other.query(count, { after: receipt.bookmark })
    await client.query('SELECT 1')
    expect(heard).toEqual([])
    await client.end()
  })
})
