/** What the documents print as code runs as it is printed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { redisServer } from '../support/servers/redis.ts'

const root = new URL('../../', import.meta.url)
const tidemark = new URL('bin/tidemark.js', root).pathname
const documents = [
  'README.md',
  'docs/guides/writing.md',
  'docs/guides/reading.md',
  'docs/guides/migrating.md',
  'docs/guides/migrate.md',
  'docs/guides/surrealdb.md',
  'docs/guides/effects.md',
  'docs/guides/live.md',
  'docs/guides/logs.md',
  'docs/guides/server.md',
]

/** Where the package's names lead in a checkout. */
const sources: Readonly<Record<string, string>> = {
  tidemark: 'src/index.ts',
  'tidemark/sqlite': 'src/stores/sqlite/index.ts',
  'tidemark/kysely': 'src/kysely.ts',
  'tidemark/logs': 'src/logs/index.ts',
  'tidemark/server': 'src/server/index.ts',
  'tidemark/postgres': 'src/stores/postgres/index.ts',
  'tidemark/memory': 'src/stores/memory/index.ts',
  'tidemark/pino': 'src/pino/index.ts',
  'tidemark/redis': 'src/targets/redis/index.ts',
  'tidemark/surrealdb': 'src/surrealdb.ts',
  'tidemark/sqlite-vec': 'src/targets/sqlite-vec/index.ts',
  'tidemark/testing': 'src/testing/index.ts',
  'tidemark/webhook': 'src/targets/webhook/index.ts',
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-docs-'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(new URL('node_modules', root).pathname, join(folder, 'node_modules'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The blocks of one language, each with the section it stands in. */
function blocksOf(document: string, language: string): { section: string; code: string }[] {
  const blocks: { section: string; code: string }[] = []
  let section = ''
  for (const [match, heading, code] of readFileSync(new URL(document, root), 'utf8').matchAll(
    new RegExp(`^#+ (.*)$|^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'),
  )) {
    if (heading !== undefined) section = heading
    else blocks.push({ section, code: code ?? match })
  }
  return blocks
}

function run(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { output: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    // While it is waited for, no timer of the test's runs.
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  return { output: stdout + stderr, code: status }
}

function examplesOf(document: string, environment: () => Promise<NodeJS.ProcessEnv>): void {
  describe(document, () => {
    for (const { section, code } of blocksOf(document, 'ts')) {
      test(`the example under "${section}" runs, and prints what its comments say`, async () => {
        const program = code.replaceAll(
          /(from|target:) '(tidemark[^']*)'/g,
          (whole, word: string, name: string) => {
            const source = sources[name]
            return source === undefined ? whole : `${word} '${new URL(source, root).href}'`
          },
        )
        writeFileSync(join(folder, 'example.ts'), program)
        const { output, code: exitCode } = run('example.ts', [], await environment())
        expect(output, output).not.toContain('Error')
        expect(exitCode).toBe(0)
        const said = [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) =>
          plain(comment ?? ''),
        )
        expect(
          plain(output)
            .split('\n')
            .filter((line) => said.includes(line)),
        ).toEqual(said)
      })
    }
  })
}

for (const document of documents) examplesOf(document, async () => ({}))

await withServer(embeddedPostgres, (server) =>
  examplesOf('docs/guides/postgresql.md', async () => ({ DATABASE_URL: await server.createDatabase() })),
)

await withServer(redisServer, (server) =>
  examplesOf('docs/guides/targets.md', async () => ({ REDIS_URL: server.url })),
)

test('the commands of the README run as printed, in an empty folder', async () => {
  const commands = blocksOf('README.md', 'sh')
    .flatMap(({ code }) => code.trim().split('\n'))
    .filter((line) => /^npm start -- |^npx tidemark /.test(line))
  expect(commands.length).toBeGreaterThan(1)
  symlinkSync(new URL('examples', root).pathname, join(folder, 'examples'))
  for (const command of commands) {
    const words = [...command.replace(/^npm start -- |^npx tidemark /, '').matchAll(/"([^"]*)"|(\S+)/g)]
    const args = words.map(([, quoted, word]) => quoted ?? word ?? '')
    const isEndless = args[0] === 'serve' || args.includes('--follow')
    const { output, code } = isEndless ? await runUntilItSpeaks(args) : run(tidemark, args)
    expect(code, `${command}\n${output}`).toBe(isEndless && args[0] !== 'serve' ? 130 : 0)
  }
})

/** What goes on until it is stopped: it is, with Ctrl-C, when it has printed something. */
async function runUntilItSpeaks(args: readonly string[]): Promise<{ output: string; code: number | null }> {
  // A port of its own: the usual one may be taken.
  const all = args[0] === 'serve' ? [...args, '--port', '0'] : args
  const child = spawn(process.execPath, [tidemark, ...all], { cwd: folder })
  let output = ''
  child.stderr.on('data', (text: Buffer) => (output += text.toString()))
  child.stdout.once('data', () => child.kill('SIGINT'))
  child.stdout.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { output, code }
}

/** Quotes are how a comment shows a text, not part of what is printed. */
function plain(text: string): string {
  return text.replaceAll("'", '').trim()
}
