/** The same books both ways, on a database that is near and on one that is far: one process a run, one file each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runChild } from './child.ts'
import type { Source } from './library.ts'
import { chart } from './report/chart.ts'
import { describe, type Named } from './report/text.ts'

export interface CompareOptions {
  readonly sources: readonly Source[]
  readonly atOnce: number
  /** By which the far database answers late. */
  readonly delayMs: number
  /** Where the chart goes; undefined for nowhere. */
  readonly chart: string | undefined
}

/** @returns whether all runs found the same */
export async function compare({ chart: file, ...options }: CompareOptions): Promise<boolean> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-books-'))
  try {
    const runs: Named[] = []
    const { sources, atOnce } = options
    for (const delayMs of [0, options.delayMs])
      for (const mode of ['blocking', 'memory-first'] as const) {
        const name = `${mode}, ${delayMs === 0 ? 'SQLite' : `+${delayMs} ms a commit`}`
        console.log(`${name}: ${sources.length} books …`)
        const database = path.join(folder, `${mode}-${delayMs}.db`)
        const result = await runChild({ folder, database, mode, delayMs, sources, atOnce })
        if (result !== undefined) runs.push({ name, result })
      }
    console.log(`\n${describe(runs)}`)
    if (file !== undefined) {
      writeFileSync(file, chart(runs))
      console.log(`Chart: ${file}`)
    }
    return new Set(runs.map(({ result }) => result.hash)).size === 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
