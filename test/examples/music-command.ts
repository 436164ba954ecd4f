/** Runs what `npm run music` runs, to its end. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import '../support/compile-cache.ts'

const program = fileURLToPath(new URL('../../examples/music/main.ts', import.meta.url))

/** @returns what it printed. @throws when it ended with another code than 0 */
export async function runMusic(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  return stdout
}
