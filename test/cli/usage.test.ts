/** How the command line speaks with people: demo, help, and words it does not know. */
import { existsSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { look, temporaryFolder } from '../support/database-file.ts'
import { plainEnvironment, program, root, succeed, tidemark } from './command.ts'
import { writeInput } from './inputs.ts'

test('the demo ingests 200,000 lines and reads them back, and leaves the current folder alone', async () => {
  const folder = temporaryFolder()
  const output = await succeed(folder)
  // The test's own temporary folder lies in it; everything else would be the demo's.
  expect(readdirSync(folder)).toEqual(['tmp'])
  const [made] = readdirSync(path.join(folder, 'tmp'))
  const database = path.join(folder, 'tmp', made ?? '', 'app.db')

  expect(output).toContain('200,000 rows into table "logs"')
  expect(output).toMatch(/eventual read .*\n +strong +read sees it/)
  const commands = [
    ...(output.split('\nNext:\n')[1]?.matchAll(/^ {2}npx tidemark (.*?)(?: {3}\(.*\))?$/gm) ?? []),
  ]
  expect(commands).toHaveLength(4)
  expect(look(database, 'SELECT count(*) AS n FROM logs')).toEqual([{ n: 200_001 }])
  const again = await succeed(folder, ...(commands[0]?.[1]?.split(' ') ?? []))
  expect(again).toContain(': 0 rows into table "logs"')
})

test.each([
  [['ingest'], "missing required argument 'files'"],
  [['ingest', 'x', '--format', 'xml'], "argument 'xml' is invalid. Allowed choices are auto, ndjson, csv"],
  [['ingest', 'x', '--colour'], "unknown option '--colour'"],
  [['query'], "missing required argument 'sql'"],
  [['query', 'select 1', 'select 2'], 'too many arguments'],
  [
    ['query', 'select 1', '--format', 'xml'],
    "argument 'xml' is invalid. Allowed choices are table, ndjson, csv",
  ],
  [['dead-letters', '--limit', 'ten'], "argument 'ten' is invalid. It must be a whole number."],
  [['dead-letters', 'redrive'], "missing required argument 'ids'"],
  [['dead-letters', 'redrive', 'x'], "'x' is invalid"],
  [['--nonsense'], "unknown option '--nonsense'"],
])('%j is not understood: exit code 2, and where help is', async (parameters, message) => {
  const folder = temporaryFolder()
  const { code, stdout, stderr } = await tidemark(folder, ...parameters)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^tidemark: .*\n {2}See: npx tidemark --help\n$/)
  expect(stderr).toContain(message)
  expect(existsSync(path.join(folder, 'app.db'))).toBe(false)
})

test('--version and --help answer on standard output', async () => {
  const folder = temporaryFolder()
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  expect(await succeed(folder, '--version')).toBe(`${version}\n`)
  const help = await succeed(folder, '--help')
  for (const command of ['ingest', 'query', 'dead-letters', 'doctor', 'demo'])
    expect(help).toContain(`\n  ${command} `)
  expect(await succeed(folder, 'ingest', '--help')).toContain('Usage: tidemark ingest [options] <files...>')
})

test('output that cannot be written: exit code 1, said once, without a stack trace', ({ skip }) => {
  if (!existsSync('/dev/full')) skip('this system has no /dev/full')
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 3)
  const { status, stderr } = spawnSync(process.execPath, [program, 'ingest', 'app.ndjson'], {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    encoding: 'utf8',
  })
  expect(stderr).toMatch(/^tidemark: standard output cannot be written: ENOSPC: [^\n]*\n$/)
  expect(status).toBe(1)
})
