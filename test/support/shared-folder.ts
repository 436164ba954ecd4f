/**
 * What is made once and used by many: by every file of a test run, which are processes of their own, or else by this
 * process. It is gone afterwards.
 */
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const variable = 'TIDEMARK_SHARED_FOLDER'
let own: string | undefined

/** Vitest calls this before the first test of a run, and what it returns after the last. */
export default function shareInRun(): () => void {
  const folder = makeFolder()
  process.env[variable] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/**
 * It is made beside and then named, so nobody sees half of it: of two processes that need it at once, each makes one,
 * and either will do.
 *
 * @param make makes what is not there yet, at the path that it gets
 * @returns where it is
 */
export async function madeOnce(name: string, make: (at: string) => Promise<void>): Promise<string> {
  const finished = path.join(sharedFolder(), name)
  if (existsSync(finished)) return finished
  const beside = openToAll(mkdtempSync(`${finished}-`))
  try {
    const made = path.join(beside, 'made')
    await make(made)
    try {
      renameSync(made, finished)
    } catch (error) {
      if (!existsSync(finished)) throw error
    }
    return finished
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

function sharedFolder(): string {
  return process.env[variable] ?? (own ??= makeFolder())
}

function makeFolder(): string {
  const folder = openToAll(mkdtempSync(path.join(tmpdir(), 'tidemark-shared-')))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Servers run as users of their own, who must get in. */
function openToAll(folder: string): string {
  chmodSync(folder, 0o755)
  return folder
}
