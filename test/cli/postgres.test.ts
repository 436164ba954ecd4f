/** The commands on a PostgreSQL database: the same words, the same promises, and what is not to be had there. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { Command, succeed, tidemark } from './command.ts'
import { appendLines, csvHeader, linesOf, writeInput } from './inputs.ts'
import { ServerDatabase } from './on-server.ts'

await withServer(embeddedPostgres, (server) => {
  test('a log becomes a table of PostgreSQL’s own types, and a second run adds nothing', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    writeInput(folder, 'app.ndjson', 40)
    const first = await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    expect(first).toContain(`40 rows into table "logs" of ${database.url} in`)
    expect(await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)).toContain(
      'went on behind line 40',
    )

    await database.expectLines(40)
    expect(
      await database.rows(
        `SELECT column_name || ' ' || data_type AS is FROM information_schema.columns WHERE table_name = 'logs' ORDER BY ordinal_position`,
      ),
    ).toEqual(
      [
        'id bigint',
        'ts timestamp with time zone',
        'level text',
        'service text',
        'message text',
        'attributes jsonb',
      ].map((is) => ({ is })),
    )
    expect(await database.rows('SELECT ts, level, service, message FROM logs WHERE id = 1')).toEqual([
      { ts: new Date('2026-01-01T00:00:00Z'), level: 'info', service: 'web', message: 'event 1' },
    ])
  })

  test('law 3 · killed with -9 in the middle of an ingest: no line twice, none missing', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    writeInput(folder, 'app.ndjson', 60_000)
    const moments: number[] = []
    for (const goal of [1, 15_000, 30_000]) {
      const run = new Command(folder, ['ingest', 'app.ndjson', '--store', database.url])
      await run.reached(`wrote ${goal} rows`, async () => {
        const there = await database.value("SELECT to_regclass('logs')")
        return there !== null && Number(await database.value('SELECT max(id) FROM logs')) >= goal
      })
      await run.kill()
      moments.push((await database.numbers()).length)
    }
    await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    await database.expectLines(60_000)
    expect(
      moments.filter((moment) => moment < 60_000).length,
      `killed at ${moments.join(', ')}`,
    ).toBeGreaterThan(1)
  })

  test('law 3 · files of two machines that have the same number are two sources', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const file = writeInput(folder, 'app.ndjson', 10)
    const ingest = (machine: string): Promise<string> =>
      succeed(folder, 'ingest', 'app.ndjson', '--store', database.url, '--machine', machine)
    await ingest('one')
    expect(await ingest('two')).toContain('10 rows into')
    appendLines(file, 11, 12)
    for (const machine of ['one', 'two']) expect(await ingest(machine)).toContain('2 rows into')
    expect(
      await database.rows('SELECT split_part(source, chr(58), 1) AS of FROM tidemark_checkpoints ORDER BY 1'),
    ).toEqual([{ of: 'one' }, { of: 'two' }])
  })

  test('what cannot be read, and what the table refuses, are dead letters; mended, they are written again', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    await database.rows(
      `CREATE TABLE logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz, level text, service text,
         message text CONSTRAINT not_seven CHECK (message <> 'event 7'), attributes jsonb)`,
    )
    writeFileSync(
      path.join(folder, 'app.ndjson'),
      `${linesOf('ndjson', 1, 8)}{"half\n${linesOf('ndjson', 9, 9)}`,
    )
    const said = await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    expect(said).toContain('1 bad line kept as dead letters, the first is line 9')
    expect(said).toContain('1 row refused by the database and kept as dead letters')

    const list = await succeed(folder, 'dead-letters', '--store', database.url, '--format', 'ndjson')
    const letters = list
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; code: string })
    expect(letters.map(({ code }) => code).toSorted()).toEqual(['23514', 'UNREADABLE_INPUT'])
    await database.rows('ALTER TABLE logs DROP CONSTRAINT not_seven')
    const id = String(letters.find(({ code }) => code === '23514')?.id)
    expect(await succeed(folder, 'dead-letters', 'redrive', id, '--store', database.url)).toContain('written')
    expect((await database.numbers()).toSorted((one, other) => one - other)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
  })

  test('a CSV file goes into a table of any types that the server can read its fields as', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    writeInput(folder, 'made.csv', 5)
    await succeed(folder, 'ingest', 'made.csv', '--store', database.url)
    expect(await database.rows('SELECT * FROM made WHERE n = 2')).toEqual([
      { n: '2', text: 'event 2', half: 1 },
    ])

    await database.rows('CREATE TABLE there (n bigint PRIMARY KEY, text text, half numeric(20, 10), at date)')
    const rows = '1,"",0.12345678901,2026-01-02\n2,x,,\n3,y,1.5,no day\n'
    writeFileSync(path.join(folder, 'there.csv'), `${csvHeader.trim()},at\n${rows}`)
    expect(await succeed(folder, 'ingest', 'there.csv', '--store', database.url)).toContain('1 row refused')
    expect(await database.rows('SELECT n, text, half, at::text FROM there ORDER BY n')).toEqual([
      { n: '1', text: '', half: '0.1234567890', at: '2026-01-02' },
      { n: '2', text: 'x', half: null, at: null },
    ])
  })

  test('a file is followed into it, also when it is rotated', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const file = writeInput(folder, 'app.ndjson', 3)
    const command = new Command(folder, ['ingest', '--follow', 'app.ndjson', '--store', database.url])
    const wrote = (count: number): Promise<void> =>
      command.reached(`wrote ${count}`, async () => (await database.numbers()).length >= count)
    await wrote(3)
    appendLines(file, 4, 5)
    await wrote(5)
    const { code } = await command.kill('SIGTERM')
    expect(code).toBe(143)
    // While nobody follows it.
    appendLines(file, 6, 6)
    writeFileSync(`${file}.1`, readFileSync(file))
    writeFileSync(file, '')
    appendLines(file, 7, 8)
    const next = new Command(folder, ['ingest', '--follow', 'app.ndjson', '--store', database.url])
    await next.reached('wrote all', async () => (await database.numbers()).length >= 8)
    await next.kill('SIGINT')
    await database.expectLines(8)
  })

  test('query prints what a SELECT finds, all of it, and takes nothing else', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const query = (sql: string, ...more: string[]) =>
      tidemark(folder, 'query', sql, '--store', database.url, ...more)
    const many = await query('select n from generate_series(1, 2500) n', '--format', 'csv')
    expect(many.stdout.trim().split('\n')).toHaveLength(2_501)
    const { stdout } = await query(
      `select 9007199254740993 as big, '2026-01-02T03:04:05Z'::timestamptz as at, '\\x00ff'::bytea as bytes,
         '{"a":[1]}'::jsonb as json, array[1, null] as list, 12.50 as price, interval '1 day' as span, null as missing;`,
      '--format',
      'ndjson',
    )
    expect(JSON.parse(stdout)).toEqual({
      big: '9007199254740993',
      at: '2026-01-02T03:04:05.000Z',
      bytes: 'AP8=',
      json: { a: [1] },
      list: [1, null],
      price: '12.50',
      span: '1 days',
      missing: null,
    })
    await database.rows('CREATE TABLE kept (n int)')
    for (const sql of [
      'drop table kept',
      'select 1; commit; set default_transaction_read_only = off; commit; drop table kept',
      'with d as (delete from kept returning n) select n from d',
      'selekt',
    ])
      expect(await query(sql), sql).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('the query failed: '),
      })
    expect(await database.value("SELECT to_regclass('kept')::text")).toBe('kept')
  })

  test('status tells what is there; search, tail and cleanup say what to do instead', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    expect(await succeed(folder, 'status', '--store', database.url)).toContain('no log table')
    writeInput(folder, 'app.ndjson', 12)
    await succeed(folder, 'ingest', 'app.ndjson', '--store', database.url)
    expect(JSON.parse(await succeed(folder, 'status', '--json', '--store', database.url))).toMatchObject({
      database: database.url,
      logs: { table: 'logs', entries: 12, newestMs: Date.UTC(2026, 0, 1), unindexed: null },
      openWriters: [],
      checkpoints: 1,
    })
    for (const words of [['search', 'x'], ['tail'], ['cleanup', '--max-age', '1d']]) {
      const refused = await tidemark(folder, ...words, '--store', database.url)
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toMatch(/not on PostgreSQL \(NOT_SUPPORTED\)\.\n {2}\w+ by SQL: /)
    }
    const served = await tidemark(folder, 'serve', '--store', database.url, '--retention-age', '1d')
    expect(served).toMatchObject({ code: 2, stderr: expect.stringContaining('NOT_SUPPORTED') })
  })

  test('a password is taken from the URL or from PGPASSWORD, and never shown', async () => {
    const folder = temporaryFolder()
    await server.query(
      "CREATE ROLE secretive LOGIN PASSWORD 'geheim'; GRANT ALL ON DATABASE postgres TO secretive",
    )
    const hba = path.join(server.folder, 'data/pg_hba.conf')
    writeFileSync(hba, `host all secretive 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`)
    await server.query('SELECT pg_reload_conf()')
    const at = (user: string, database = 'postgres'): string =>
      `postgres://${user}@127.0.0.1:${server.port}/${database}`
    const asking = ['query', 'select current_user as me', '--format', 'csv', '--store']

    expect(await succeed(folder, ...asking, at('secretive:geheim'))).toBe('me\nsecretive\n')
    const environment = { PGPASSWORD: 'geheim' }
    const named = await new Command(folder, [...asking, at('secretive')], { environment }).ended
    expect(named).toMatchObject({ code: 0, stdout: 'me\nsecretive\n' })
    writeInput(folder, 'app.ndjson', 1)
    for (const words of [
      [...asking, at('secretive:falsch')],
      ['ingest', 'app.ndjson', '--store', at('secretive:falsch')],
      ['ingest', 'app.ndjson', '--store', at('secretive:falsch', 'nowhere')],
      ['bench', '--store', at('secretive:falsch')],
      ['doctor', '--store', at('secretive:falsch')],
      ['serve', '--store', at('secretive:falsch'), '--port', '0'],
      ['search', 'x', '--store', at('secretive:falsch')],
      ['status', '--store', `mysql://secretive:falsch@127.0.0.1/x`],
      ['status', '--store', `postgres://secretive:falsch@:x/y`],
    ]) {
      const { code, stdout, stderr } = await tidemark(folder, ...words)
      expect(code, words.join(' ')).not.toBe(0)
      expect(stdout + stderr).not.toContain('falsch')
    }
    const refused = await tidemark(folder, ...asking, at('secretive:falsch'))
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('or in PGPASSWORD') })
  })

  test('a server that is not there: exit code 1, and what to do', async () => {
    const folder = temporaryFolder()
    appendFileSync(path.join(folder, 'app.ndjson'), linesOf('ndjson', 1, 1))
    for (const words of [['ingest', 'app.ndjson'], ['status'], ['serve']]) {
      const { code, stderr } = await tidemark(
        folder,
        ...words,
        '--store',
        'postgres://postgres@127.0.0.1:1/app',
      )
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/ECONNREFUSED.*\n {2}Check the host and the port in the URL/),
      })
    }
  })
})
