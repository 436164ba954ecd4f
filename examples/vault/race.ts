/**
 * The race that started it: a file is in a batch while somebody asks for its metadata. Many notes are saved at once, and each
 * is asked for at some level, while the embedder is slow and fails; every answer is held against what had been saved.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Asking, type StatusAnswer } from './ask/ask.ts'
import { disturbed } from './embed/disturbed.ts'
import type { Embedder } from './embed/embedder.ts'
import { hashing } from './embed/hashing.ts'
import type { StoreKind } from './metadata/metadata.ts'
import { openPlain, type Plain } from './metadata/plain.ts'
import { contentHash } from './notes/read-note.ts'
import { Vault } from './pipeline/vault.ts'
import { seeded } from './seeded.ts'
import { stateOf } from './state-folder.ts'
import type { Consistency } from './tidemark.ts'

/** `plain`: the database's own client beside the engine, as a program without it has. */
export type Reading = Consistency | 'plain'

export interface RaceOptions {
  readonly store: StoreKind
  /** Of a server: a database that is empty. */
  readonly url?: string | undefined
  readonly rounds: number
  readonly seed: number
  readonly readings: readonly Reading[]
  /** The share of the embedder's calls that fail. */
  readonly failing?: number
  /** Each call takes up to so long, in ms. */
  readonly slowMs?: number
}

export interface RaceReport {
  readonly rounds: number
  /** By reading: how many there were, how many were older than what had been saved, and of those how many said so. */
  readonly of: Readonly<Partial<Record<Reading, { asked: number; old: number; saidSo: number }>>>
  /** Answers that were wrong. */
  readonly wrong: readonly string[]
  readonly failures: number
}

const notes = 120
const atOnce = 64

export async function race({
  store,
  url,
  rounds,
  seed,
  readings,
  failing = 0.1,
  slowMs = 4,
}: RaceOptions): Promise<RaceReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-vault-race-'))
  const random = seeded(seed)
  const counting = countFailures(disturbed(hashing, { upToMs: slowMs, failing, random }))
  const state = stateOf({ folder })
  mkdirSync(state)
  const plain = await openPlain(store, { folder: state, url })
  const vault = await Vault.open({
    folder,
    store,
    url,
    client: plain.client,
    embedder: counting.embedder,
    settleMs: 2,
    // Small, so that the embedder is asked often, and waits that fit its hiccups.
    handling: { batch: 4, concurrency: 4, retryFirstMs: 2, retryMaxMs: 20 },
  })
  const run = new Race(vault, plain)
  try {
    let left = rounds
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const reading = readings[Math.floor(random() * readings.length)] as Reading
        await run.round(Math.floor(random() * notes), reading, random)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    await vault.settled()
    await run.requirePlain()
    return { rounds, of: run.of, wrong: run.wrong, failures: counting.failures() }
  } finally {
    await vault.close()
    await plain.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Saved {
  readonly hash: string
  readonly embedded: string
}

class Race {
  readonly of: Partial<Record<Reading, { asked: number; old: number; saidSo: number }>> = {}
  readonly wrong: string[] = []
  readonly #vault: Vault
  readonly #asking: Asking
  readonly #plain: Plain
  /** What was saved of each note, the newest last. */
  readonly #saved = new Map<string, Saved[]>()

  constructor(vault: Vault, plain: Plain) {
    this.#vault = vault
    this.#asking = new Asking(vault)
    this.#plain = plain
  }

  /** Saves a note and asks for it, or for what somebody else is saving at the moment. */
  async round(note: number, reading: Reading, random: () => number): Promise<void> {
    const name = `note-${note}.md`
    const words = Array.from({ length: 12 }, () => `w${Math.floor(random() * 9_000)}`).join(' ')
    const text = `# Note ${note}\n\n${words}\n`
    writeFileSync(path.join(this.#vault.folder, name), text)
    // What the watcher would tell, at once: of a save that nobody has told it of it can say nothing.
    this.#vault.see(name)
    const saved = this.#saved.get(name) ?? []
    this.#saved.set(name, saved)
    saved.push({ hash: contentHash(Buffer.from(text)), embedded: `Note ${note}\n${words}` })
    if (random() < 0.3) await turn()
    const newest = saved.length - 1
    const answer =
      reading === 'plain'
        ? // It knows of nothing that is under way.
          { file: (await this.#plain.file(name)) as StatusAnswer['file'], pending: [] }
        : await this.#asking.status(name, { consistency: reading, timeoutMs: 60_000 })
    const problem = this.#problemOf(reading, answer, saved, newest)
    if (problem !== undefined) this.wrong.push(`${reading} ${name}: ${problem}`)
    else if (reading === 'strong') await this.#requireVectors(name, saved, newest)
  }

  #problemOf(
    reading: Reading,
    answer: Pick<StatusAnswer, 'file' | 'pending' | 'stale'>,
    saved: readonly Saved[],
    newest: number,
  ): string | undefined {
    const tally = (this.of[reading] ??= { asked: 0, old: 0, saidSo: 0 })
    tally.asked++
    if (answer.stale !== undefined) return answer.stale
    const { file, pending } = answer
    const at = file === null ? -1 : saved.findLastIndex(({ hash }) => hash === file.hash)
    if (at < newest) {
      tally.old++
      if (reading === 'eventual' && pending.length > 0) tally.saidSo++
      else return `it is ${newest - at} saves behind, and does not say so`
    }
    if (file?.state === 'written' && pending.length === 0) return 'it is not searchable, and does not say so'
    // At least what had been saved is searchable; of what was saved since, the row speaks.
    if (reading === 'strong' && at === newest && file?.state !== 'searchable') return `it is ${file?.state}`
    return undefined
  }

  /** Now that nothing is under way, the plain client reads what was saved: it is the same database. */
  async requirePlain(): Promise<void> {
    for (const [name, saved] of this.#saved) {
      const file = await this.#plain.file(name)
      if (file?.hash === saved.at(-1)?.hash) continue
      throw new Error(`the plain client reads ${JSON.stringify(file)} for ${name}`)
    }
  }

  /** What a strong read calls searchable is found by its own text, unless it was saved again since. */
  async #requireVectors(name: string, saved: readonly Saved[], newest: number): Promise<void> {
    const [vector] = await hashing.embed([saved[newest]?.embedded ?? ''], never)
    const hits = await this.#vault.vectors.search(vector as Float32Array, notes)
    const isFound = hits.some(({ key, distance }) => key === `${name}#0` && distance < 1e-5)
    if (!isFound && saved.length - 1 === newest) this.wrong.push(`strong ${name}: its vector is not there`)
  }
}

const never = new AbortController().signal

function countFailures(embedder: Embedder): { readonly embedder: Embedder; readonly failures: () => number } {
  let failures = 0
  const embed: Embedder['embed'] = async (...given) => {
    try {
      return await embedder.embed(...given)
    } catch (error) {
      failures++
      throw error
    }
  }
  return { embedder: { ...embedder, embed }, failures: () => failures }
}

/** @returns 0 when every answer was right, and the plain connection's were not */
export async function raceCommand(options: Omit<RaceOptions, 'readings'>): Promise<number> {
  const { rounds, seed, store } = options
  const began = performance.now()
  const honest = await race({ ...options, readings: ['eventual', 'readAfterWrite', 'strong'] })
  console.log(
    `${store}: ${rounds} rounds, seed ${seed}, in ${((performance.now() - began) / 1_000).toFixed(1)} s; the embedder failed ${honest.failures} times`,
  )
  const plain = await race({ ...options, rounds: Math.min(rounds, 1_000), readings: ['plain'] })
  for (const [reading, { asked, old, saidSo }] of Object.entries({ ...honest.of, ...plain.of }))
    console.log(
      `${reading.padEnd(15)} asked ${asked}, older than what was saved ${old}${old > 0 ? `, of which ${saidSo} said so` : ''}`,
    )
  for (const problem of honest.wrong.slice(0, 20)) console.error(problem)
  const isRight = honest.wrong.length === 0 && plain.wrong.length > 0
  console.log(
    isRight ? 'right in every round; without the wrapper it is not' : `WRONG: ${honest.wrong.length}`,
  )
  return isRight ? 0 : 1
}
