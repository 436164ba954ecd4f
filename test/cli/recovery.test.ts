/** `serve --recover FILE`: the queries by which each kind is recovered, told once by whoever starts the server. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { change, temporaryFolder } from '../support/database-file.ts'
import { call } from '../server/running.ts'
import { served, urlOf } from '../server/process.ts'
import { Command, succeed, tidemark } from './command.ts'

const missing = 'SELECT id AS key FROM chunks WHERE vector IS NULL ORDER BY id'
const existing = 'SELECT id AS key FROM chunks'

function fileOf(content: unknown): string {
  const file = path.join(temporaryFolder(), 'recover.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

test('what the file says is done by kind, and by the command line told the same', async () => {
  const folder = temporaryFolder()
  change(
    path.join(folder, 'app.db'),
    `CREATE TABLE chunks (id INTEGER PRIMARY KEY, vector TEXT);
     INSERT INTO chunks VALUES (1, NULL), (2, 'there'), (3, NULL)`,
  )
  const recoveries = fileOf({ embed: { missing, existing } })
  const server = new Command(folder, ['serve', '--port', '0', '--recover', recoveries])
  const url = await urlOf(server)
  const recover = async (kind: string, body: object): Promise<unknown> =>
    (await call(url, 'POST', `/v1/effects/${kind}/recover`, body)).body
  const told = { missing: ['1', '3'], underWay: 0, dead: [], orphans: [], isMore: false }
  expect(await recover('embed', {})).toEqual({ dryRun: true, ...told })
  expect(await recover('embed', { dryRun: false })).toEqual({ dryRun: false, ...told })
  expect(await recover('other', {})).toMatchObject({ status: 404 })
  const again = await succeed(folder, 'effects', 'recover', 'embed', '--missing', missing)
  expect(again).toMatch(/^rows without an effect: none\n.*on its way: 2\n/)
})

test('without the file nothing can be recovered', async () => {
  const { url } = await served()
  const refused = await call(url, 'POST', '/v1/effects/embed/recover', {})
  expect(refused).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
})

test.for([
  ['{ "embed": ', /does not say how effects are recovered: .*JSON/],
  [[], /: it must be an object: of each kind, its queries\.$/m],
  [{ embed: missing }, /: "embed" must be an object of SELECTs\.$/m],
  [
    { embed: { missing, dryRun: false } },
    /: "embed" has "dryRun", and only missing and existing are known\.$/m,
  ],
  [{ embed: { missing: 5 } }, /: "missing" of "embed" must be a SELECT in a text\.$/m],
  [{ embed: { existing: ' ' } }, /: "existing" of "embed" must be a SELECT in a text\.$/m],
  [{ embed: {} }, /the server cannot start: recover\["embed"\] must have missing, existing or both/],
  [{ '': { missing } }, /the server cannot start: recover\[""\]: a kind must be a text/],
] as const)('the server does not start with %j, and says why', async ([content, problem]) => {
  const refused = await tidemark(temporaryFolder(), 'serve', '--port', '0', '--recover', fileOf(content))
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(problem)
})

test('a file that is not there is told before anything is opened', async () => {
  const folder = temporaryFolder()
  const refused = await tidemark(folder, 'serve', '--port', '0', '--recover', 'nowhere.json')
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toMatch(/^tidemark: nowhere\.json does not say how effects are recovered: ENOENT/)
  expect(existsSync(path.join(folder, 'app.db'))).toBe(false)
})
