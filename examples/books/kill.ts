/** Kills runs with -9 at random moments, lets each go on until it is done, and compares with one that nobody disturbed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runChild } from './child.ts'
import type { Source } from './library.ts'
import type { Mode } from './run.ts'
import { stageNames } from './stages/stage.ts'

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
    const undisturbed = await runChild({ ...options, folder, database: path.join(folder, 'calm.db') })
    const expected = undisturbed?.hash ?? ''
    console.log(`undisturbed: ${expected}`)
    let isSame = true
    for (let round = 1; round <= rounds; round++) {
      const database = path.join(folder, `round-${round}.db`)
      const killed: string[] = []
      const kills = 1 + Math.floor(random() * 3)
      let hash: string | undefined
      while (hash === undefined) {
        // Each stage of each book says twice where it is.
        let left =
          killed.length < kills
            ? 1 + Math.floor(random() * options.sources.length * stageNames.length)
            : Infinity
        let last = ''
        const onEvent = (line: string): boolean => {
          last = line
          return --left <= 0
        }
        const result = await runChild({ ...options, folder, database, onEvent })
        if (result === undefined) killed.push(last)
        hash = result?.hash
      }
      isSame &&= hash === expected
      const where = killed.map((event) => `"${event}"`).join(', ') || 'never, it was done first'
      console.log(
        `round ${round}: ${hash === expected ? 'the same' : `DIFFERS: ${hash}`}; killed at ${where}`,
      )
    }
    console.log(
      `seed ${seed}: ${isSame ? `${rounds} rounds, all with the result of the undisturbed run` : 'FAILED'}`,
    )
    return isSame
  } finally {
    rmSync(folder, { recursive: true, force: true })
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
