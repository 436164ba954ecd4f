/** What every PostgreSQL of a run is started from, made once: `initdb` is many times the work of a copy. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from '../shared-folder.ts'
import type { Identity } from './process.ts'

const run = promisify(execFile)
const options = ['-A', 'trust', '-U', 'postgres', '--no-sync', '--encoding=UTF8', '--locale=C']

/** Gives `data` what a new server needs. */
export async function initialize(data: string, programs: string, identity: Identity): Promise<void> {
  const made = await madeOnce(`postgres-data-${digest(programs)}`, async (at) => {
    mkdirSync(at, { mode: 0o700 })
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(at, identity.uid, identity.gid)
    await run(path.join(programs, 'initdb'), ['-D', at, ...options], { ...identity, cwd: '/' })
  })
  await run('cp', ['-a', made, data])
}

/** The programs where the server's user can run them: a copy, if this one's folders are closed to it. */
export async function reachable(programs: string, identity: Identity): Promise<string> {
  try {
    await run(path.join(programs, 'postgres'), ['--version'], { ...identity, cwd: '/' })
    return programs
  } catch {
    const copy = await madeOnce(`postgres-programs-${digest(programs)}`, async (at) => {
      await run('cp', ['-a', path.dirname(programs), at])
    })
    return path.join(copy, path.basename(programs))
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
