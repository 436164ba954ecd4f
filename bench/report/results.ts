/** The file of results: everything that was printed and every round behind it. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const RESULTS = new URL('../results/', import.meta.url)

/** Writes the results and returns the file's name as the reader may type it. */
export function saveResults(results: { readonly command: string }, file: string | undefined): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[:T]/g, '-')
  const path = file ?? fileURLToPath(new URL(`${results.command}-${stamp}.json`, RESULTS))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`)
  return relative(process.cwd(), path)
}
