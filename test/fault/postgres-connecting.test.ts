/** How a server is reached: what the URL and the options say, and what is told when it cannot be. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres, queryAt, type PostgresServer } from '../support/servers/postgres.ts'
import { freePort } from '../support/servers/process.ts'

/** A certificate for 127.0.0.1, signed by itself. @returns where it stands, for who wants to trust it */
async function useTls(server: PostgresServer): Promise<string> {
  const folder = temporaryFolder()
  const [key, certificate] = ['server.key', 'server.crt'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ]
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', '-new', '-x509', '-days', '2', '-nodes', '-newkey', 'rsa:2048']
  execFileSync('openssl', [...made, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const { uid, gid } = server.identity
  chmodSync(folder, 0o755)
  chmodSync(key, 0o600)
  if (uid !== undefined && gid !== undefined) for (const file of [key, certificate]) chownSync(file, uid, gid)
  await server.configure({ ssl_cert_file: certificate, ssl_key_file: key, ssl: 'on' })
  return certificate
}

const usesTls =
  'SELECT ssl FROM pg_stat_ssl WHERE pid IN (SELECT pid FROM pg_stat_activity WHERE application_name = '

await withServer(embeddedPostgres, (server) => {
  test('it connects over TLS where the URL or the options say so, and not to a server it does not trust', async () => {
    const certificate = await useTls(server)
    const url = server.url()
    await expect
      .poll(async () => {
        const failure: unknown = await queryAt(`${url}?sslmode=no-verify`, 'SELECT 1').catch(
          (error: unknown) => error,
        )
        return failure
      })
      .toHaveLength(1)
    for (const [name, store] of [
      ['trusting', postgres(`${url}?sslmode=no-verify`, { applicationName: 'trusting' })],
      [
        'by-root',
        postgres(`${url}?sslmode=verify-full&sslrootcert=${certificate}`, { applicationName: 'by-root' }),
      ],
      ['by-option', postgres(url, { applicationName: 'by-option', tls: { ca: readFileSync(certificate) } })],
    ] as const) {
      await using db = await open(store)
      await db.query({ sql: 'SELECT 1', parameters: [] }, 'strong')
      const found = await server.query(`${usesTls}'${name}')`)
      expect(found.length, name).toBeGreaterThan(1)
      for (const { ssl } of found) expect(ssl, name).toBe(true)
    }
    const untrusted = open(postgres(`${url}?sslmode=verify-full`))
    await expect(untrusted).rejects.toThrow(/self-signed certificate/)
    await expect(untrusted).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('a schema in the search path of the URL is the one that is written to', async () => {
    const url = await server.createDatabase()
    await server.query(
      'CREATE SCHEMA app; CREATE TABLE app.songs (title text); CREATE TABLE songs (title text)',
      url,
    )
    await using db = await open(postgres(`${url}?options=-c%20search_path%3Dapp`))
    await db.insert('songs', { title: 'a' })
    await db.insert('public.songs', { title: 'b' })
    expect(await server.query('SELECT title FROM app.songs', url)).toEqual([{ title: 'a' }])
    expect(await server.query('SELECT title FROM public.songs', url)).toEqual([{ title: 'b' }])
    expect(await db.read('strong').selectFrom('public.songs').selectAll().execute()).toEqual([{ title: 'b' }])
  })

  test('every connection has the settings that it relies on, whatever those of the server or its role', async () => {
    const url = await server.createDatabase()
    const name = new URL(url).pathname.slice(1)
    await server.query('CREATE TABLE t (d timestamptz, b bytea, s text)', url)
    for (const setting of [
      "synchronous_commit = 'off'",
      "default_transaction_isolation = 'serializable'",
      "default_transaction_read_only = 'on'",
      "DateStyle = 'German'",
      "bytea_output = 'escape'",
      "standard_conforming_strings = 'off'",
    ])
      await server.query(`ALTER DATABASE ${name} SET ${setting}`)
    await using db = await open(postgres(url))
    const row = { d: new Date(0), b: new Uint8Array([0, 92, 255]), s: 'a\\b' }
    await db.insert('t', row)
    expect(await db.read('strong').selectFrom('t').selectAll().execute()).toEqual([row])
    const isolation = await db.transaction(async (trx) =>
      trx.executeQuery({
        sql: "SELECT current_setting('transaction_isolation') AS i, current_setting('synchronous_commit') AS c",
        parameters: [],
        query: { kind: 'RawNode' },
      } as never),
    )
    expect(isolation.rows).toEqual([{ i: 'read committed', c: 'on' }])
  })

  test('who cannot connect is told where to, and never with what password', async () => {
    const port = await freePort()
    const nobody = open(postgres(`postgres://someone:secret@127.0.0.1:${port}/app`))
    await expect(nobody).rejects.toMatchObject({ code: 'STORE_FAILED', failure: 'transient' })
    await expect(nobody).rejects.toThrow(new RegExp(`postgres://someone@127.0.0.1:${port}/app.*ECONNREFUSED`))
    await expect(nobody).rejects.not.toThrow(/secret/)
    const noDatabase = open(postgres(server.url('nowhere')))
    await expect(noDatabase).rejects.toThrow(/database "nowhere" does not exist/)
    await expect(noDatabase).rejects.toMatchObject({ failure: 'fatal', storeCode: '3D000' })
  })

  test('the address that takes writes is found, and one that takes none is told from it', async () => {
    const url = await server.createDatabase()
    const port = await freePort()
    await using db = await open(postgres([`postgres://127.0.0.1:${port}/gone`, url]))
    await db.transaction((trx) => trx.schema.createTable('made').addColumn('n', 'integer').execute())
    await db.insert('made', { n: 1 })
    expect(await server.query('SELECT n FROM made', url)).toEqual([{ n: 1 }])
  })

  test('options and addresses that make no sense are refused, all at once', () => {
    for (const wrong of ['', 'app.db', 'mysql://host/app', [], ['app.db'], 5, undefined])
      expect(() => postgres(wrong as string)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    const options = { synchronousCommit: 'maybe', answerTimeoutMs: -1, poolSize: 5 }
    expect(() => postgres(server.url(), options as never)).toThrow(
      /synchronousCommit must be one of .*; answerTimeoutMs must be .*; poolSize is not an option/,
    )
  })
})
