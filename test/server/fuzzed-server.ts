/** `tidemark serve` as a process of its own, and whether it is what it was after a bombardment. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as tick } from 'node:timers/promises'
import { change } from '../support/database.ts'
import type { Program } from '../support/program.ts'
import { bombard, type Bombardment, type Verdict } from './malformed.ts'

const tidemark = new URL('../../bin/tidemark.js', import.meta.url)
const tables = `
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, body BLOB) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, stars REAL);
`
/** What a warm server may have grown by; a leak of a kilobyte a request is far more. */
const spareHeapMb = 24
const warmUp = 500

export interface Fuzzed extends Verdict {
  readonly heapMb: { readonly before: number; readonly after: number }
}

type Start = (program: URL, parameters: readonly (string | number)[]) => Program

export async function fuzz(
  folder: string,
  start: Start,
  { seed, count, onProgress }: Pick<Bombardment, 'seed' | 'count' | 'onProgress'>,
): Promise<Fuzzed> {
  const file = path.join(folder, 'app.db')
  change(file, tables)
  const server = start(tidemark, ['serve', '--db', file, '--port', 0, '--no-dashboard'])
  const url = (await server.said('tidemark:')).replace(/^.* /, '')
  const secrets = [folder, 'node_modules', 'tidemark_database.secret', secretOf(file)]
  const attack = { url, concurrency: 8, secrets }
  const violations: string[] = []
  // The first requests of each kind compile what they run; what it takes after them is what it takes.
  violations.push(
    ...(await bombard({ ...attack, seed: seed + 1, count: Math.min(warmUp, count) })).violations,
  )
  const socketsBefore = await settledSockets(server.pid, undefined)
  const before = await heapMb(url)
  const verdict = await bombard({ ...attack, seed, count, ...(onProgress ? { onProgress } : {}) })
  violations.push(...verdict.violations)
  const after = await heapMb(url)
  if (after > before + spareHeapMb) violations.push(`the heap grew from ${before} to ${after} MB`)
  const sockets = await settledSockets(server.pid, socketsBefore)
  if (sockets !== socketsBefore) violations.push(`${sockets} sockets are open, ${socketsBefore} were before`)
  const health = await fetch(`${url}/healthz`)
  if (health.status !== 200) violations.push(`/healthz says ${health.status}`)
  const ready = await fetch(`${url}/readyz`)
  if (ready.status !== 200) violations.push(`/readyz says ${ready.status}: ${await ready.text()}`)
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

/** The least of several looks: what is garbage differs from one to the next, what is kept does not. */
async function heapMb(url: string): Promise<number> {
  let least = Infinity
  for (let look = 0; look < 40; look++) {
    const text = await (await fetch(`${url}/metrics`)).text()
    least = Math.min(least, Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]))
  }
  return Math.round(least / 2 ** 20)
}

/** Connections that were closed are let go of in a moment; those of this process's own `fetch` stay as they are. */
async function settledSockets(pid: number | undefined, wanted: number | undefined): Promise<number> {
  let count = socketsOf(pid)
  for (let look = 0; look < 200; look++) {
    await tick(20)
    const now = socketsOf(pid)
    if (wanted === undefined ? now === count && look > 5 : now <= wanted) return wanted ?? now
    count = now
  }
  return count
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
