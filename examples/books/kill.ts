/** Kills runs with -9 at random moments, lets each go on until it is done, and compares with one that nobody disturbed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runChild, type ChildOptions } from './child.ts'
import type { Source } from './library.ts'
import type { Mode } from './run.ts'
import { textStages } from './stages/stage.ts'

export interface KillOptions {
  readonly sources: readonly Source[]
  readonly atOnce: number
  readonly mode: Mode
  readonly delayMs: number
  readonly rounds: number
  readonly seed: number
}

/** @returns whether every round ended with the same */
export async function killRounds({ rounds, seed, ...options }: KillOptions): Promise<boolean> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-books-kill-'))
  const random = randomOf(seed)
  try {
    const calm = await runChild({ ...options, folder, database: path.join(folder, 'calm.db') })
    console.log(`undisturbed: ${calm?.hash}`)
    let isSame = true
    for (let round = 1; round <= rounds; round++) {
      const { hash, killed } = await disturb(
        { ...options, folder, database: path.join(folder, `round-${round}.db`) },
        random,
      )
      isSame &&= hash === calm?.hash
      const where = killed.map((event) => `"${event}"`).join(', ') || 'never, it was done first'
      console.log(
        `round ${round}: ${hash === calm?.hash ? 'the same' : `DIFFERS: ${hash}`}; killed behind ${where}`,
      )
    }
    const verdict = isSame ? `${rounds} rounds, all with the result of the undisturbed run` : 'FAILED'
    console.log(`seed ${seed}: ${verdict}`)
    return isSame
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How long after an event a kill may come: between it and the commits that follow it. */
const withinMs = 40
/** A run that takes longer has come to a stand. */
const patienceMs = 120_000

/** Kills a run one to three times, each at a moment of its own, and lets it go on until it is done. */
async function disturb(
  run: ChildOptions,
  random: () => number,
): Promise<{ readonly hash: string; readonly killed: readonly string[] }> {
  const killed: string[] = []
  const kills = 1 + Math.floor(random() * 3)
  for (;;) {
    const isLast = killed.length >= kills
    // Each stage of each book says twice where it is.
    let left = isLast ? Infinity : 1 + Math.floor(random() * run.sources.length * textStages.length)
    const delayMs = random() * withinMs
    let last = ''
    const result = await runChild({
      ...run,
      onEvent: (line) => {
        if (left > 0) last = line
        return --left <= 0 ? delayMs : undefined
      },
      patienceMs,
    })
    if (result !== undefined) return { hash: result.hash, killed }
    if (isLast)
      throw new Error(`A run that was killed behind "${killed.at(-1)}" came to a stand when it went on.`)
    killed.push(last)
  }
}

/** The same numbers from the same seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
