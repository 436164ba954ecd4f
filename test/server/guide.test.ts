/** What docs/guides/server.md prints is what happens. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mannerOf } from '../../src/server/problem.ts'
import { LIMITS } from '../../src/server/index.ts'
import { REQUEST_STATUS } from '../../src/server/request-error.ts'
import { running } from './running.ts'

const guide = readFileSync(new URL('../../docs/guides/server.md', import.meta.url), 'utf8')
const isWithout = spawnSync('curl', ['--version']).status !== 0

interface Example {
  readonly commands: string
  /** What is printed below it as its answer, `…` for what differs. */
  readonly answer: unknown
}

const examples: Example[] = [...guide.matchAll(/^```sh\n([^]*?)^```\n(?:\n```json\n([^]*?)^```)?/gm)]
  .map(([, commands = '', answer]) => ({
    commands,
    answer: answer === undefined ? undefined : JSON.parse(answer),
  }))
  .filter(({ commands }) => commands.includes('curl '))

test('its curl lines run as printed, one after the other, and answer what it says', async ({ skip }) => {
  if (isWithout) skip('there is no curl on this machine')
  const server = await running()
  expect(examples.length).toBeGreaterThan(8)
  for (const { commands, answer } of examples) {
    // As printed, but for the port: nothing may rely on one that is always the same.
    const script = commands.replaceAll('http://127.0.0.1:7373', server.url)
    const { status, stdout, stderr } = await run(script)
    expect({ status, stderr }, commands).toEqual({ status: 0, stderr: '' })
    if (answer === undefined) expect(stdout, commands).not.toContain('urn:tidemark:error')
    else expect(JSON.parse(stdout), commands).toMatchObject(pattern(answer) as object)
  }
  expect(server.incidents).toEqual([])
})

test('its table of statuses says what the server answers', () => {
  const table = /^\| status \| code \|\n([^]*?)\n\n/m.exec(guide)?.[1] ?? ''
  const told = new Map<string, number[]>()
  for (const [, statuses = '', codes = ''] of table.matchAll(/^\| ([\d, ]+) \| (.*) \|$/gm)) {
    for (const [, code = ''] of codes.matchAll(/`([A-Z_]+)`/g))
      told.set(code, statuses.split(', ').map(Number))
  }
  expect(told.size).toBeGreaterThan(25)
  for (const [code, statuses] of told) {
    const status =
      code in REQUEST_STATUS
        ? REQUEST_STATUS[code as keyof typeof REQUEST_STATUS]
        : mannerOf(code as never).status
    expect(statuses, code).toContain(status)
  }
  for (const code of Object.keys(REQUEST_STATUS)) expect(told.has(code), code).toBe(true)
})

test('its table of limits names each of them', () => {
  for (const name of Object.keys(LIMITS)) expect(guide, name).toContain(`\`${name}\``)
})

/** In a shell, as a reader would. Not waited for synchronously: the server is in this process. */
async function run(script: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const shell = spawn('bash', ['-ec', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const status = await new Promise<number | null>((resolve) => shell.on('close', resolve))
  return { status, stdout, stderr }
}

function pattern(value: unknown): unknown {
  if (value === '…') return expect.anything()
  if (Array.isArray(value)) return value.map(pattern)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, pattern(each)]))
}
