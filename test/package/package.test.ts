/** What a user gets: the package is packed, installed into an empty project, and used there as its README says. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const consumer = `
import { DatabaseSync } from 'node:sqlite'
import { open } from 'tidemark'
import type { Kysely } from 'kysely'
import { batchAware } from 'tidemark/kysely'
import { postgres, type PostgresOptions } from 'tidemark/postgres'
import { sqlite } from 'tidemark/sqlite'

interface DB {
  logs: { id: number; message: string }
}

const file = new DatabaseSync('app.db')
file.exec('CREATE TABLE logs (id INTEGER PRIMARY KEY, message TEXT NOT NULL)')
file.close()

const db = await open<DB>(sqlite('app.db'))
await db.insert('logs', { id: 1, message: 'hello from the package' })
const row = await db.read('strong').selectFrom('logs').select('message').executeTakeFirstOrThrow()
console.log(row.message)
const session = db.session()
session.update('logs', { id: 1 }, { message: 'seen by its session' })
const { row: now, pending } = await session.get('logs', { id: 1 })
console.log(now?.message, pending)
const later = await db.session(session.bookmark).read().selectFrom('logs').select('message').execute()
console.log(later[0]?.message)
await db.close()

export const takeOver = async (existing: Kysely<DB>): Promise<Kysely<DB>> => (await batchAware(existing)).kysely

const lasting: PostgresOptions = { synchronousCommit: 'on' }
export const onPostgres = () => open<DB>(postgres('postgres://localhost/app', lasting))

// @ts-expect-error the table interface is checked
export const wrong = (): unknown => db.insert('nowhere', { id: 1 })
`

/** Prints how many addresses the dashboard is made of, and those that lead nowhere. */
const dashboardReader = `
import { openLogs } from 'tidemark/logs'
import { serve } from 'tidemark/server'
import { sqlite } from 'tidemark/sqlite'

const logs = await openLogs(sqlite('served.db'))
const { url, close } = await serve({ logs, port: 0 })
const asked = new Set(['/'])
const missing = []
for (const address of asked) {
  const response = await fetch(url + address)
  const text = await response.text()
  if (response.status !== 200) missing.push(address)
  const isModule = response.headers.get('content-type').startsWith('text/javascript')
  const links = isModule ? /\\b(?:from|import)\\s*["']([\\w@./-]+)["']/g : /(?:href|src)="([^"#]+)"/g
  for (const [, link] of text.matchAll(links)) asked.add(new URL(link, url + address).pathname)
}
console.log([asked.size, ...missing].join('\\n'))
await close()
await logs.close()
`

const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-package-'))
const project = path.join(folder, 'project')

beforeAll(() => {
  run(root, 'npm', 'pack', '--silent', '--pack-destination', folder) // builds first, by `prepack`
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module", "private": true }\n')
  const peers = ['kysely', 'pg', 'ioredis', 'sqlite-vec', 'surrealdb', '@qdrant/js-client-rest'].map(
    (name) => `${name}@${manifest.devDependencies[name]}`,
  )
  run(
    project,
    'npm',
    'install',
    '--silent',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    `../${tarball}`,
    ...peers,
  )
  writeFileSync(path.join(project, 'consumer.ts'), consumer)
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

test('every subpath that package.json promises can be imported', () => {
  const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json')
  const script = subpaths
    .map((subpath) => `console.log(Object.keys(await import('tidemark${subpath.slice(1)}')).length > 0)`)
    .join('\n')
  expect(subpaths).toEqual([
    '.',
    './sqlite',
    './kysely',
    './logs',
    './memory',
    './pino',
    './postgres',
    './qdrant',
    './redis',
    './server',
    './sqlite-vec',
    './surrealdb',
    './testing',
    './webhook',
  ])
  expect(run(project, process.execPath, '--input-type=module', '--eval', script)).toBe(
    'true\n'.repeat(subpaths.length),
  )
})

test('the command runs and says its version', () => {
  expect(run(project, 'npx', '--no-install', 'tidemark', '--version').trim()).toBe(manifest.version)
})

test('a program written in TypeScript type-checks against the package', () => {
  const types = path.join(root, 'node_modules/@types')
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--lib',
    'es2024,esnext.disposable',
  ]
  const files = ['--noEmit', '--types', 'node', '--typeRoots', types, 'consumer.ts']
  run(project, path.join(root, 'node_modules/.bin/tsc'), ...options, ...files)
})

test('that program writes rows, reads them back and closes', () => {
  expect(run(project, process.execPath, 'consumer.ts')).toBe(
    'hello from the package\nseen by its session true\nseen by its session\n',
  )
})

test('a target that works on a thread of its own finds it', () => {
  const program = `
    import { sqliteVec } from 'tidemark/sqlite-vec'
    import { effectOf } from 'tidemark/testing'
    const target = sqliteVec('vectors.db', { dimensions: 2 })
    await target.deliver([effectOf('a', 1, { op: 'set', vector: [1, 0] })], { signal: new AbortController().signal })
    console.log((await target.search([1, 0], 1))[0].key)
    await target.close()`
  // From a file: the thread would be given the options of this process, and refuse --input-type.
  writeFileSync(path.join(project, 'vectors.mjs'), program)
  expect(run(project, process.execPath, 'vectors.mjs')).toBe('a\n')
})

test('the package holds what users need, and no sources or tests', () => {
  const inPackage = readdirSync(path.join(project, 'node_modules/tidemark'), { recursive: true }).map(String)
  expect(inPackage).toEqual(
    expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'bin/tidemark.js']),
  )
  expect(inPackage.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file))).toEqual([])
})

function run(cwd: string, command: string, ...args: string[]): string {
  // The project's Node goes first, whatever the machine's own is.
  const PATH = [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter)
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, PATH },
    })
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}

test('the dashboard is whole: the page, and everything it and its modules ask for', () => {
  writeFileSync(path.join(project, 'dashboard.mjs'), dashboardReader)
  const [modules, ...missing] = run(project, process.execPath, 'dashboard.mjs').trim().split('\n')
  expect(Number(modules)).toBeGreaterThan(40)
  expect(missing).toEqual([])
})

test('without pg the command says how to get it, and works on files all the same', () => {
  rmSync(path.join(project, 'node_modules/pg'), { recursive: true })
  const command = path.join(project, 'node_modules/tidemark/bin/tidemark.js')
  const tidemark = (...words: string[]) =>
    spawnSync(process.execPath, [command, ...words], { cwd: project, encoding: 'utf8' })
  for (const words of [['query', 'select 1'], ['ingest', 'x'], ['serve'], ['doctor'], ['bench']]) {
    const { status, stderr } = tidemark(...words, '--store', 'postgres://a:geheim@localhost/app')
    expect({ status, stderr }, words.join(' ')).toEqual({
      status: words[0] === 'ingest' ? 3 : 2,
      stderr: expect.stringContaining(words[0] === 'ingest' ? 'there is no file x' : 'npm install pg'),
    })
  }
  expect(tidemark('query', 'select message from logs', '--format', 'csv').stdout).toContain('seen by')
})
