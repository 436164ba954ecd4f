/** `tidemark serve` as the first process of a container, where no signal does anything unless it is caught. */
import { execFileSync, spawn } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../cli/command.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { call, NDJSON } from './running.ts'

const canUnshare = (() => {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--kill-child', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test('as the first process of a container it drains as well', async ({ skip }) => {
  if (!canUnshare) skip('this user may not make a namespace of processes')
  const folder = temporaryFolder()
  const args = [
    '--pid',
    '--fork',
    '--kill-child',
    process.execPath,
    program,
    'serve',
    '--port',
    '0',
    '--no-dashboard',
  ]
  const outer = spawn('unshare', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { text: '' }
  const heard = new Promise<string>((resolve, reject) => {
    outer.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.text += text
      const url = /http:\S+(?=\n)/.exec(output.text)?.[0]
      if (url !== undefined) resolve(url)
    })
    outer.on('close', () => reject(new Error(`it ended: ${output.text}`)))
  })
  const ended = new Promise<number | null>((resolve) => outer.on('close', (code) => resolve(code)))
  const url = await heard
  await call(url, 'POST', '/v1/logs', '{"msg":"x"}\n', NDJSON)
  // From outside, as the runtime of a container does it: to the process, which is number 1 within.
  const inner = execFileSync('pgrep', ['-P', String(outer.pid)], { encoding: 'utf8' }).trim()
  process.kill(Number(inner), 'SIGTERM')
  expect(await ended).toBe(0)
  expect(look(path.join(folder, 'app.db'), 'SELECT message FROM logs')).toEqual([{ message: 'x' }])
})
