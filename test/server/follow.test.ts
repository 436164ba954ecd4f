/** `tidemark serve --follow FILE`: one command, and the logs of a file arrive, searchable and live. */
import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Command, tidemark } from '../cli/command.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { urlOf } from './process.ts'
import { call } from './running.ts'

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `{"msg":"line ${from + index}"}\n`).join('')
}

async function serving(folder: string, ...files: string[]): Promise<{ command: Command; url: string }> {
  const command = new Command(folder, ['serve', '--port', '0', '--no-dashboard', '--follow', ...files])
  return { command, url: await urlOf(command) }
}

async function found(url: string, text: string): Promise<string[]> {
  for (;;) {
    const { body } = await call(url, 'GET', `/v1/logs/search?q=${encodeURIComponent(text)}`)
    const entries = body.entries as { message: string }[]
    if (entries.length > 0) return entries.map(({ message }) => message)
  }
}

// SPEC S4.9
test('what is in a file, and what is appended to it, is found; stopped and started again, no line is there twice', async () => {
  const folder = temporaryFolder()
  const [file, other] = [path.join(folder, 'a.log'), path.join(folder, 'b.log')]
  writeFileSync(file, lines(0, 500))
  writeFileSync(other, '')
  const first = await serving(folder, 'a.log', 'b.log')
  expect(await found(first.url, '"line 499"')).toEqual(['line 499'])
  appendFileSync(other, lines(500, 501))
  expect(await found(first.url, '"line 500"')).toEqual(['line 500'])
  expect(await first.command.kill('SIGTERM')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/(?=.*a\.log: 500 rows )(?=.*b\.log: 1 row )/s),
  })
  appendFileSync(file, lines(501, 503))
  const second = await serving(folder, 'a.log', 'b.log')
  expect(await found(second.url, '"line 502"')).toEqual(['line 502'])
  await second.command.kill('SIGINT')
  expect(
    look(path.join(folder, 'app.db'), 'SELECT count(*) AS n, count(DISTINCT message) AS d FROM logs'),
  ).toEqual([{ n: 503, d: 503 }])
})

test('a file that cannot be read is told, and the rest is served; a packed one is no file to follow', async () => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'a.log'), lines(0, 3))
  const { command, url } = await serving(folder, '.', 'a.log')
  await command.said('is a directory')
  expect(await found(url, '"line 2"')).toEqual(['line 2'])
  await command.kill('SIGTERM')
  writeFileSync(path.join(folder, 'a.gz'), Buffer.from([0x1f, 0x8b, 8, 0]))
  const refused = await tidemark(folder, 'serve', '--port', '0', '--follow', 'a.gz')
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be followed') })
})
