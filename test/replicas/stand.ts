/** A primary and its standbys, for one file of tests, with a database for each test. */
import { afterAll } from 'vitest'
import { open, type OpenOptions } from '../../src/index.ts'
import { postgres, type PostgresOptions } from '../../src/stores/postgres/index.ts'
import type { AnyTidemark } from '../../src/testing/stage.ts'
import type { PostgresServer } from '../support/servers/postgres.ts'
import { Standby } from '../support/servers/standby.ts'

export const table =
  'CREATE TABLE songs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL)'
export const count = { sql: 'SELECT count(*)::int AS count FROM songs', parameters: [] }

export async function standbysOf<N extends readonly string[]>(
  primary: PostgresServer,
  ...names: N
): Promise<{ [At in keyof N]: Standby }> {
  const standbys: Standby[] = []
  for (const name of names) standbys.push(await Standby.of(primary, { name }))
  afterAll(async () => {
    for (const standby of standbys) await standby[Symbol.asyncDispose]()
  })
  return standbys as { [At in keyof N]: Standby }
}

export interface Stand {
  /** Of this test's database. */
  readonly url: string
  open(options?: PostgresOptions, engine?: OpenOptions): Promise<AnyTidemark>
  /** The address of the test's database on another server. */
  on(server: { url(database: string): string }): string
}

export async function standOn(primary: PostgresServer, standbys: readonly Standby[]): Promise<Stand> {
  const url = await primary.createDatabase()
  await primary.query(table, url)
  for (const standby of standbys) await standby.whenCaughtUp()
  const on: Stand['on'] = (server) => server.url(new URL(url).pathname.slice(1))
  return {
    url,
    on,
    open: (options, engine) => open(postgres(url, { replicas: standbys.map(on), ...options }), engine),
  }
}
