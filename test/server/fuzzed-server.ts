/** `tidemark serve` as a process of its own, and whether it is what it was after a bombardment. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as tick } from 'node:timers/promises'
import { change } from '../support/database.ts'
import type { Program, ProgramOptions } from '../support/program.ts'
import { bombard, type Bombardment, type Verdict } from './malformed.ts'

const tidemark = new URL('../../bin/tidemark.js', import.meta.url)
const tables = `
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, body BLOB) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, stars REAL);
`
/** What a warm server may have grown by; a leak of a kilobyte a request is far more. */
const spareHeapMb = 8
const warmUp = 500

export interface Fuzzed extends Verdict {
  readonly heapMb: { readonly before: number; readonly after: number }
}

type Start = (program: URL, parameters: readonly (string | number)[], options: ProgramOptions) => Program

export async function fuzz(
  folder: string,
  start: Start,
  { seed, count, onProgress }: Pick<Bombardment, 'seed' | 'count' | 'onProgress'>,
): Promise<Fuzzed> {
  const file = path.join(folder, 'app.db')
  change(file, tables)
  const node = ['--expose-gc', '--import', new URL('collect-garbage.ts', import.meta.url).href]
  const server = start(tidemark, ['serve', '--db', file, '--port', 0, '--no-dashboard'], { node })
  const url = (await server.said('tidemark:')).replace(/^.* /, '')
  const secrets = [folder, 'node_modules', secretOf(file)]
  const attack = { url, concurrency: 8, secrets }
  const violations: string[] = []
  // The first requests of each kind compile what they run; what it takes after them is what it takes.
  violations.push(
    ...(await bombard({ ...attack, seed: seed + 1, count: Math.min(warmUp, count) })).violations,
  )
  const before = await heapMb(server, 1)
  const verdict = await bombard({ ...attack, seed, count, ...(onProgress ? { onProgress } : {}) })
  violations.push(...verdict.violations)
  const after = await heapMb(server, 2)
  if (after > before + spareHeapMb) violations.push(`the heap grew from ${before} to ${after} MB`)
  const sockets = await leftSockets(server.pid)
  if (sockets > listeners) violations.push(`${sockets} sockets are open, where nobody is connected`)
  const health = await ask(`${url}/healthz`)
  if (health.status !== 200) violations.push(`/healthz says ${health.status}`)
  const ready = await ask(`${url}/readyz`)
  if (ready.status !== 200) violations.push(`/readyz says ${ready.status}: ${await ready.text()}`)
  const metrics = await (await ask(`${url}/metrics`)).text()
  for (const line of ['tidemark_tails 0', 'tidemark_sql_running 0', 'tidemark_sql_waiting 0'])
    if (!metrics.includes(`${line}\n`)) violations.push(`the metrics do not say ${line}`)
  server.stop()
  const { code } = await server.ended
  if (code !== 0) violations.push(`it ended with ${code}`)
  const said = server.stderr.replaceAll(/^tidemark: stopping;.*\n/gm, '')
  if (said !== '') violations.push(`it complained:\n${said.slice(0, 2_000)}`)
  return { ...verdict, violations, heapMb: { before, after } }
}

function secretOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return String(database.prepare('SELECT secret FROM tidemark_database').get()?.['secret'])
  } finally {
    database.close()
  }
}

/** What is left of the heap when the garbage is gone. */
async function heapMb(server: Program, time: number): Promise<number> {
  if (server.pid !== undefined) process.kill(server.pid, 'SIGUSR2')
  return Math.round(Number(await server.said(`collected-${time}`)) / 2 ** 20)
}

/** On a connection of its own, which is closed behind the answer. */
function ask(url: string): Promise<Response> {
  return fetch(url, { headers: { connection: 'close' } })
}

/** The one that listens. */
const listeners = 1
const patienceMs = 20_000

/** Waits until the connections that were closed are let go; one that is not is kept for ever. */
async function leftSockets(pid: number | undefined): Promise<number> {
  const deadlineMs = performance.now() + patienceMs
  while (socketsOf(pid) > listeners && performance.now() < deadlineMs) await tick(10)
  return socketsOf(pid)
}

/** Linux tells; elsewhere this is not looked at. */
function socketsOf(pid: number | undefined): number {
  const folder = `/proc/${pid}/net/tcp`
  if (!existsSync(folder)) return 0
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    }),
  )
  return readFileSync(folder, 'utf8')
    .split('\n')
    .filter((line) => own.has(line.trim().split(/\s+/)[9] ?? '')).length
}
