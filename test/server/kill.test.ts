/** kill -9 of a server under load: what it had promised is there, and nothing twice. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Command } from '../cli/command.ts'
import { look } from '../support/database-file.ts'
import { served, urlOf } from './process.ts'
import { call, NDJSON } from './running.ts'

const rounds = 4
const writers = 4

interface Sent {
  /** Answered with 201. */
  readonly committed: string[]
  /** Answered with 202, in the order of the answers of its one connection. */
  readonly accepted: number[]
}

test('every 201 is there exactly once; of the 202s of one connection a prefix is', async () => {
  const first = await served()
  let { command, url } = first
  const { folder, file } = first
  for (let round = 0; round < rounds; round++) {
    const sent: Sent = { committed: [], accepted: [] }
    const load = [
      ...Array.from({ length: writers }, (_, writer) => commitMany(url, `${round}-${writer}`, sent)),
      acceptMany(url, round, sent),
    ]
    await command.reached('answered enough', () => sent.committed.length >= 40 && sent.accepted.length >= 40)
    await command.kill('SIGKILL')
    await Promise.all(load)

    const rows = look<{ message: string }>(file, 'SELECT message FROM logs ORDER BY id').map(
      ({ message }) => message,
    )
    const counts = new Map<string, number>()
    for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1)
    expect(
      [...counts].filter(([, count]) => count > 1),
      'written twice',
    ).toEqual([])
    expect(
      sent.committed.filter((name) => !counts.has(name)),
      'lost after 201',
    ).toEqual([])

    const numbers = rows.filter((row) => row.startsWith(`${round}:`)).map((row) => Number(row.split(':')[1]))
    // The last request may have been committed although its answer did not come any more.
    expect(numbers, 'in order and without holes').toEqual(numbers.map((_, index) => index))
    expect(numbers.length).toBeLessThanOrEqual(sent.accepted.length + 1)

    command = new Command(folder, ['serve', '--port', '0', '--no-dashboard'])
    url = await urlOf(command)
    expect((await call(url, 'GET', '/readyz')).status, 'it comes up again').toBe(200)
  }
})

test('the process of a query that never ends is gone with its server', async ({ skip }) => {
  if (!existsSync('/proc/self/task')) skip('only Linux tells of other processes in files')
  const { command, url } = await served()
  const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
  const asked = call(url, 'POST', '/v1/query', { sql: endless }).catch(() => undefined)
  while (!(await call(url, 'GET', '/metrics')).text.includes('tidemark_sql_running 1\n')) continue
  const children = readFileSync(`/proc/${command.pid}/task/${command.pid}/children`, 'utf8').trim().split(' ')
  expect(children.length).toBeGreaterThan(0)
  await command.kill('SIGKILL')
  await asked
  while (children.some((pid) => isAlive(Number(pid)))) await new Promise((resolve) => setImmediate(resolve))
})

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** One row a request, as fast as it is committed, until the server is gone. */
async function commitMany(url: string, name: string, { committed }: Sent): Promise<void> {
  for (let index = 0; ; index++) {
    const row = `${name}-${index}`
    const status = await write(url, '?ack=committed', row)
    if (status !== 201) return
    committed.push(row)
  }
}

async function acceptMany(url: string, round: number, { accepted }: Sent): Promise<void> {
  for (let index = 0; ; index++) {
    const status = await write(url, '', `${round}:${index}`)
    if (status !== 202) return
    accepted.push(index)
  }
}

async function write(url: string, query: string, msg: string): Promise<number> {
  try {
    return (await call(url, 'POST', `/v1/logs${query}`, `${JSON.stringify({ msg })}\n`, NDJSON)).status
  } catch {
    return 0
  }
}
