/** How `tidemark serve` begins and ends. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Command, succeed, tidemark } from '../cli/command.ts'
import { look, temporaryFolder } from '../support/database-file.ts'
import { served } from './process.ts'
import { RawClient } from './raw.ts'
import { call, lock, NDJSON } from './running.ts'

test('it says where it listens in one line, and complains of nothing', async () => {
  const { command, url } = await served()
  expect(command.stdout).toBe(`tidemark: app.db is served at ${url}\n`)
  expect(command.stderr).toBe('')
  expect((await call(url, 'GET', '/readyz')).status).toBe(200)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'law 9 · %s drains: what was accepted is in the file, and it exits with 0',
  async (signal) => {
    const { command, url, file } = await served()
    const lines = Array.from({ length: 5_000 }, (_, index) => `{"msg":"${index}"}`).join('\n')
    expect((await call(url, 'POST', '/v1/logs', lines, NDJSON)).body.accepted).toBe(5_000)
    const { code, stderr } = await command.kill(signal)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'tidemark: stopping; what was accepted is being committed (again to end at once)\n',
    })
    expect(look(file, 'SELECT count(*) AS n FROM logs')).toEqual([{ n: 5_000 }])
  },
)

test('law 9 · a request that is under way is finished; new ones are told to go elsewhere', async () => {
  const { command, url } = await served()
  const upload = new RawClient(url)
  const line = '{"msg":"x"}\n'
  const chunk = `${line.length.toString(16)}\r\n${line}\r\n`
  upload.send(
    `POST /v1/logs?ack=committed HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  )
  const other = new RawClient(url)
  other.send(
    'POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n',
  )
  await call(url, 'GET', '/healthz')
  command.send('SIGTERM')
  await command.said('stopping')
  // No new connection gets in.
  await refused(url)
  upload.send(`${chunk}0\r\n\r\n`)
  await upload.received('"accepted":2')
  expect(upload.statuses).toEqual([201])
  other.send('{"sql":"SELECT 1"}  ')
  await other.received('"rows":[[1]]')
  expect((await command.ended).code).toBe(0)
})

test('while it drains, a connection that is open is told so', async () => {
  const { command, url } = await served()
  const upload = new RawClient(url)
  // Two requests on one connection: the second begins while the server ends.
  upload.send(
    'POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: 12\r\n\r\n',
  )
  await call(url, 'GET', '/healthz')
  command.send('SIGTERM')
  await command.said('stopping')
  await refused(url)
  upload.send(
    '{"msg":"x"}\nGET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  )
  await upload.received('202 Accepted')
  await upload.closed
  // Node closes behind the first answer, or serves what it had read already; never with a success.
  for (const status of upload.statuses.slice(1)) expect(status).toBe(503)
  expect((await command.ended).code).toBe(0)
})

test('a request that does not end is cut off at the drain limit', async () => {
  const { command, url } = await served('--drain-ms', '300')
  const upload = new RawClient(url)
  upload.send(
    'POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{"msg":"x"}\n',
  )
  await call(url, 'GET', '/healthz')
  const { code } = await command.kill('SIGTERM')
  await upload.closed
  expect(code).toBe(0)
})

test('a second signal ends it at once', async () => {
  const { command, url, file } = await served()
  await call(url, 'GET', '/healthz')
  using held = lock(file)
  await call(url, 'POST', '/v1/logs', '{"msg":"x"}\n', NDJSON)
  command.send('SIGTERM')
  await command.said('stopping')
  expect(command.hasEnded).toBe(false)
  expect(await command.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
  held.release()
})

test('a port that is taken is told in a line', async () => {
  const { url } = await served()
  const { port } = new URL(url)
  const { code, stderr, stdout } = await tidemark(temporaryFolder(), 'serve', '--port', port)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken by another process`)
})

test('it does not listen for other machines without tokens', async () => {
  const { code, stderr } = await tidemark(temporaryFolder(), 'serve', '--host', '0.0.0.0', '--port', '0')
  expect(code).toBe(2)
  expect(stderr).toContain('without tokens everybody there could read and write')
})

test('tokens come from a file that only its owner reads, or from the environment', async () => {
  const folder = temporaryFolder()
  const token = (await succeed(folder, 'token')).trim()
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect((await succeed(folder, 'token')).trim()).not.toBe(token)
  const file = path.join(folder, 'tokens')
  writeFileSync(file, `me read,write ${token}\n`)
  chmodSync(file, 0o644)
  const open = await tidemark(folder, 'serve', '--tokens', 'tokens', '--port', '0')
  expect(open.code).toBe(2)
  expect(open.stderr).toContain('chmod 600 tokens')
  expect(open.stderr).not.toContain(token)
  expect(existsSync(path.join(folder, 'app.db')), 'nothing is made').toBe(false)

  chmodSync(file, 0o600)
  const command = new Command(folder, [
    'serve',
    '--tokens',
    'tokens',
    '--port',
    '0',
    '--no-dashboard',
    '--host',
    '0.0.0.0',
  ])
  await command.said('is served at ')
  const { port } = new URL(/http:\S+/.exec(command.stdout)?.[0] ?? '')
  const url = `http://127.0.0.1:${port}`
  expect((await call(url, 'GET', '/v1/stats')).status).toBe(401)
  expect((await call(url, 'GET', '/v1/stats', undefined, { authorization: `Bearer ${token}` })).status).toBe(
    200,
  )
})

test.each([
  ['--retention-age', '30x'],
  ['--retention-size', 'big'],
  ['--port', '-1'],
  ['--cors', 'everybody'],
])('%s %s is not understood', async (flag, value) => {
  const { code, stderr } = await tidemark(temporaryFolder(), 'serve', '--port', '0', flag, value)
  expect(code).toBe(2)
  expect(stderr).toMatch(/^tidemark: /)
})

test('retention is what the flags say', async () => {
  const { url } = await served('--retention-age', '30d', '--retention-size', '2GB')
  const { body } = await call(url, 'GET', '/v1/stats')
  expect(body.logs.retention).toEqual({ maxAgeMs: 30 * 86_400_000, maxBytes: 2e9 })
})

/** Waits until nobody is let in any more. */
async function refused(url: string): Promise<void> {
  for (;;) {
    const client = new RawClient(url)
    client.send('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    await client.closed
    if (client.text === '') return
  }
}
