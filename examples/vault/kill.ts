/** Kills watchers with -9 while notes change, and compares what the next one makes of it with what a fresh one makes. */
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Notes } from './fixtures.ts'
import type { StoreKind } from './metadata/metadata.ts'
import { seeded } from './seeded.ts'

export interface KillOptions {
  readonly store: StoreKind
  /** Of a server: a database that is empty. */
  readonly url?: string | undefined
  readonly kills: number
  readonly seed: number
  readonly files: number
}

export interface KillTally {
  readonly kills: number
  /** Times that the index was compared. */
  readonly compared: number
  /** Behind what each was killed. */
  readonly moments: Readonly<Record<string, number>>
  readonly differences: readonly string[]
}

/** How long after an event a kill may come, in ms: between it and the commits that follow. */
const withinMs = 25
/** How long a watcher is quiet that is done, in ms. */
const quietMs = 1_500

export async function killRounds({ store, url, kills, seed, files }: KillOptions): Promise<KillTally> {
  const random = seeded(seed)
  const place = mkdtempSync(path.join(tmpdir(), 'tidemark-vault-kill-'))
  const folder = path.join(place, 'notes')
  const where = ['--store', store, ...(url === undefined ? [] : ['--url', url])]
  const killed = { folder, given: [...where, '--state', path.join(place, 'state')] }
  const notes = new Notes(folder, random)
  for (let n = 0; n < files; n++) notes.add()
  const moments: Record<string, number> = {}
  const differences: string[] = []
  let count = 0
  let compared = 0
  try {
    while (count < kills) {
      const inARow = Math.min(kills - count, 1 + Math.floor(random() * 3))
      for (let n = 0; n < inARow; n++) {
        const moment = await killOne(killed, notes, random)
        moments[moment] = (moments[moment] ?? 0) + 1
        count++
      }
      const state = path.join(place, `fresh-${compared}`)
      // What an index holds does not depend on its store, and a server has one database.
      const fresh = ['--store', store === 'postgres' ? 'sqlite' : store, '--state', state]
      const [got, wanted] = [await hashOf(killed), await hashOf({ folder, given: fresh })]
      compared++
      if (got !== wanted) {
        differences.push(`after ${count} kills: ${got}, a fresh one has ${wanted}`)
        const kept = `${place}-kept-${count}`
        cpSync(place, kept, { recursive: true })
        console.error(`kept in ${kept}`)
      }
      rmSync(state, { recursive: true, force: true })
    }
    return { kills: count, compared, moments, differences }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

interface Victim {
  readonly folder: string
  /** To the command, after its name. */
  readonly given: readonly string[]
}

const main = path.join(import.meta.dirname, 'main.ts')

/** @returns behind what it was killed */
async function killOne({ folder, given }: Victim, notes: Notes, random: () => number): Promise<string> {
  const watch = [main, 'watch', folder, ...given, '--embedder', 'hashing', '--events']
  const child = spawn(process.execPath, watch, { stdio: ['ignore', 'pipe', 'pipe'] })
  // Each note is seen before anything else is said: some of the kills are to come later.
  const countsSeen = random() < 0.3
  let left = 1 + Math.floor(random() * 120)
  const delayMs = random() * withinMs
  let last = 'start'
  let said = ''
  let timer: NodeJS.Timeout | undefined
  const kill = (): boolean => child.kill('SIGKILL')
  let tired: NodeJS.Timeout | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (timer !== undefined) return
    clearTimeout(tired)
    // One that has nothing left to do says no more.
    tired = setTimeout(kill, quietMs)
    if (line.startsWith('watching')) for (let n = 0; n < 25; n++) notes.disturb()
    last = line.split(' ', 1)[0] ?? ''
    if ((countsSeen || last !== 'seen') && --left <= 0) timer = setTimeout(kill, delayMs)
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  clearTimeout(tired)
  if (child.signalCode !== 'SIGKILL') throw new Error(`the watcher ended with ${code}: ${said}`)
  return last
}

/** Of all there is, in a process of its own: the next one can open at once what it had open. */
async function hashOf({ folder, given }: Victim): Promise<string> {
  const hash = [main, 'hash', '--folder', folder, ...given, '--embedder', 'hashing']
  return (await promisify(execFile)(process.execPath, hash)).stdout.trim()
}

/** @returns 0 when every index was that of a fresh run */
export async function killCommand(options: KillOptions): Promise<number> {
  console.log(
    `${options.store}: ${options.kills} kills of watchers of ${options.files} notes, seed ${options.seed}`,
  )
  const { kills, compared, moments, differences } = await killRounds(options)
  console.log(
    `killed ${kills} times, behind ${Object.entries(moments)
      .map(([moment, times]) => `${moment} (${times})`)
      .join(', ')}`,
  )
  for (const difference of differences) console.error(difference)
  console.log(
    differences.length === 0
      ? `${compared} times the index was that of a fresh run`
      : `${differences.length} of ${compared} DIFFER`,
  )
  return differences.length === 0 ? 0 : 1
}
