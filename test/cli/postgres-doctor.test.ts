/** `tidemark doctor` on a PostgreSQL server: each thing that can be wrong is made to be, and found. */
import { expect, test } from 'vitest'
import { Client } from 'pg'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'
import { succeed, tidemark } from './command.ts'
import { doctor } from './examined.ts'
import { writeInput } from './inputs.ts'
import { ServerDatabase } from './on-server.ts'

await withServer(embeddedPostgres, (server) => {
  test('a database that is well: every line is ok but for what this server lacks, and nothing is changed', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const { code, findings, stdout } = await doctor(folder, ['--store', database.url])
    // The servers of tests do without fsync.
    const wrong = findings.filter(({ status }) => status !== 'ok').map(({ name }) => name)
    expect({ code, wrong }, stdout).toEqual({ code: 1, wrong: ['durability'] })
    expect(findings.map(({ name }) => name)).toEqual([
      'Node',
      'server',
      'version',
      'role',
      'durability',
      'standbys',
      'replication slots',
      'connections',
      'pooler',
      'open transactions',
      'locks',
      'bookkeeping',
      'writers',
      'dead letters',
      'row versions',
      'indexes',
      'sequences',
      'primary keys',
      'unlogged tables',
    ])
    expect(await database.rows("SELECT relname FROM pg_class WHERE relname LIKE 'tidemark%'")).toEqual([])
  })

  test('what is wrong with its tables and with what engines left is found, each with what to do', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    writeInput(folder, 'app.ndjson', 3)
    await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    await database.rows(`
      INSERT INTO tidemark_writers (epoch, writer, watermark, closed, lease_ms, opened_at) VALUES (1, 'gone', 5, 0, 1, 0);
      INSERT INTO tidemark_dead_letters (writer, epoch, seq, code, message, content, attempts, rejected_at)
        VALUES ('gone', 1, 2, '23505', 'twice', '{"text":"x"}', 1, 0);
      CREATE TABLE small (id serial PRIMARY KEY, twice int);
      INSERT INTO small (twice) VALUES (1), (1);
      SELECT setval('small_id_seq', 2100000000);
      CREATE TABLE keyless (n int);
      CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
      INSERT INTO fleeting VALUES (1)`)
    await expect(database.rows('CREATE UNIQUE INDEX CONCURRENTLY broken ON small (twice)')).rejects.toThrow(
      /unique/,
    )
    await database.rows('SELECT pg_stat_force_next_flush()')
    const { code, of } = await doctor(folder, ['--store', database.url])
    expect(code).toBe(1)
    const found = {
      writers: ['warn', /1 writer not closed: "gone" since 1970/],
      'dead letters': ['warn', /1 operation could not be written: 1 23505/],
      indexes: ['warn', /broken cannot be used/],
      sequences: ['FAIL', /public\.small_id_seq \(97%\)/],
      'primary keys': ['warn', /^keyless has none/],
      'unlogged tables': ['warn', /^fleeting is written to/],
      durability: ['FAIL', /fsync off/],
      'row versions': ['ok', /tidemark_writers has/],
    } as const
    for (const [name, [status, words]] of Object.entries(found))
      expect(of(name), name).toMatchObject({ status, finding: expect.stringMatching(words) })

    await database.rows('UPDATE tidemark_database SET format = 9')
    expect((await doctor(folder, ['--store', database.url])).of('bookkeeping')).toMatchObject({
      status: 'FAIL',
      finding: expect.stringContaining('format 9'),
    })
  })

  test('who holds up others is named, and what is kept for nobody', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    await database.rows('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)')
    const [holder, waiter] = [
      new Client({ connectionString: database.url }),
      new Client({ connectionString: database.url }),
    ]
    for (const client of [holder, waiter]) await client.connect()
    try {
      await holder.query('BEGIN; UPDATE t SET id = 1')
      const waiting = waiter.query('UPDATE t SET id = 2')
      await server.query("SELECT pg_create_physical_replication_slot('unread', true)")
      await database.rows("SELECT pg_sleep(1.1) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
      const { of } = await doctor(folder, ['--store', database.url])
      const pid = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      expect(of('locks')).toMatchObject({
        status: 'warn',
        finding: expect.stringMatching(/^1 statement waiting.* idle in transaction/),
        advice: expect.stringContaining(`pg_terminate_backend(${pid.rows[0]?.pid})`),
      })
      expect(of('open transactions')).toMatchObject({ status: 'ok', finding: expect.stringMatching(/^2, /) })
      expect(of('replication slots')).toMatchObject({
        status: 'warn',
        finding: expect.stringContaining('"unread"'),
      })
      await holder.query('ROLLBACK')
      await waiting
    } finally {
      await server.query("SELECT pg_drop_replication_slot('unread')")
      for (const client of [holder, waiter]) await client.end()
    }
  })

  test('a role with few connections left, and one that may see little, is told so', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    await server.query('CREATE ROLE few LOGIN CONNECTION LIMIT 4')
    writeInput(folder, 'app.ndjson', 1)
    await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    const { of } = await doctor(folder, ['--store', database.url.replace('postgres@', 'few@')])
    expect(of('connections').status).toBe('warn')
    expect(of('bookkeeping')).toMatchObject({ status: 'FAIL', advice: expect.stringContaining('GRANT') })
    expect(of('indexes').status).toBe('ok')
  })

  test('a standby, and commits that wait for one that is not there', async () => {
    const folder = temporaryFolder()
    await using standby = await Standby.of(server, { name: 'second' })
    const there = await doctor(folder, ['--store', standby.url()])
    expect(there.of('role')).toMatchObject({ status: 'FAIL', finding: expect.stringContaining('standby') })
    expect((await doctor(folder, ['--store', server.url()])).of('standbys')).toMatchObject({
      status: 'ok',
      finding: expect.stringContaining('1 connected (async)'),
    })
    try {
      await server.configure({ synchronous_standby_names: 'third' })
      const { code, of } = await doctor(folder, ['--store', server.url()])
      expect({ code, ...of('standbys') }).toMatchObject({
        code: 1,
        status: 'FAIL',
        finding: expect.stringContaining('hangs'),
      })
    } finally {
      await server.configure({ synchronous_standby_names: '' })
    }
  })

  test('a server that cannot be reached is one FAIL, and --json is one document', async () => {
    const folder = temporaryFolder()
    const { code, stdout } = await tidemark(
      folder,
      'doctor',
      '--json',
      '--store',
      'postgres://a:geheim@127.0.0.1:1/app',
    )
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      database: 'postgres://a@127.0.0.1:1/app',
      ok: false,
      findings: [
        { name: 'Node' },
        { status: 'FAIL', name: 'server', finding: expect.stringContaining('ECONNREFUSED') },
      ],
    })
  })
})
