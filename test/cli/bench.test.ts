/** `tidemark bench`: figures of the user's own database, and nothing left behind. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { Command, succeed, tidemark } from './command.ts'
import { ServerDatabase } from './on-server.ts'

const number = expect.any(Number)
const latency = { p50Ms: number, p99Ms: number }
/** No figure is judged: what must be there is there, and none is a made-up zero. */
const figures = {
  roundTrip: latency,
  commit: latency,
  insert: latency,
  callers: [1, 16, 256].map((callers) => ({ callers, ...latency, perSecond: number })),
  batches: [100, 250, 500, 1_000, 2_000].map((maxOperations) => ({ maxOperations, perSecond: number })),
  reads: expect.arrayContaining([{ readers: 1, ...latency, perSecond: number }]),
  suggested: {
    maxOperations: number,
    readers: number,
    because: expect.arrayContaining([expect.any(String)]),
  },
}

interface Figures {
  readonly batches: readonly { readonly perSecond: number }[]
  readonly suggested: { readonly maxOperations: number }
}

function expectFigures(text: string): void {
  const document = JSON.parse(text) as Figures
  expect(document).toMatchObject(figures)
  for (const { perSecond } of document.batches) expect(perSecond).toBeGreaterThan(0)
  expect([100, 250, 500, 1_000, 2_000]).toContain(document.suggested.maxOperations)
}

test('a file is measured on a file beside it, which is gone afterwards', async () => {
  const folder = temporaryFolder()
  expectFigures(await succeed(folder, 'bench', '--json', '--seconds', '1'))
  expect(readdirSync(folder)).toEqual(['tmp'])
})

test('the time it shall take is a whole number above 0', async () => {
  for (const seconds of ['0', 'long'])
    expect(await tidemark(temporaryFolder(), 'bench', '--seconds', seconds)).toMatchObject({
      code: 2,
      stdout: '',
    })
})

await withServer(embeddedPostgres, (server) => {
  const schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tidemark%'"
  const tables = "SELECT relname FROM pg_class WHERE relname LIKE 'tidemark%' OR relname = 'rows'"

  test('a server is measured in a schema that is gone afterwards, with all that engines keep', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    expectFigures(await succeed(folder, 'bench', '--json', '--seconds', '1', '--store', database.url))
    expect([await database.rows(schemas), await database.rows(tables)]).toEqual([[], []])
    const text = await succeed(folder, 'bench', '--seconds', '1', '--store', database.url)
    expect(text).toMatch(/^Suggested: batch: \{ maxOperations: \d+ \}, and readers: \{ max: \d+ \}$/m)
  })

  test('it is gone after Ctrl-C too', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const command = new Command(folder, ['bench', '--seconds', '60', '--store', database.url])
    await command.reached('writes', async () => {
      const [schema] = await database.rows(schemas)
      return (
        schema !== undefined &&
        Number(await database.value(`SELECT count(*) FROM ${String(schema['nspname'])}.rows`)) > 0
      )
    })
    const { code, stderr } = await command.kill('SIGINT')
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: 'tidemark: stopping; what was made for it is removed (again to end at once)\n',
    })
    expect(await database.rows(schemas)).toEqual([])
  })

  test('and when the measurement fails', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    const command = new Command(folder, ['bench', '--seconds', '60', '--store', database.url])
    await command.reached('writes', async () => {
      const [schema] = await database.rows(schemas)
      if (schema === undefined) return false
      await database.rows(`DROP TABLE ${String(schema['nspname'])}.rows`)
      return true
    })
    const { code, stderr } = await command.ended
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^tidemark: .*rows/) })
    expect(await database.rows(schemas)).toEqual([])
  })

  test('a user who may not make anything is told so', async () => {
    const [folder, database] = [temporaryFolder(), await ServerDatabase.on(server)]
    await server.query('CREATE ROLE looker LOGIN')
    const { code, stdout, stderr } = await tidemark(
      folder,
      'bench',
      '--store',
      database.url.replace('postgres@', 'looker@'),
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/permission denied for database .*\(42501\)\.\n {2}Give this user that right/)
  })
})
