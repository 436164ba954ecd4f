/**
 * Runs every check, also after one has failed: whoever fixes one wants to know of the others. As many at once as there
 * are processors, since most keep no more than one busy.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Those that take longest first. */
const waiting = ['format', 'lint', 'types', 'imports', 'unused', 'source', 'lockfile']

async function runWaiting(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const startedMs = performance.now()
    const failure = await failureOf(check)
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    console.log(`${failure === undefined ? 'ok    ' : 'FAILED'} check:${check} (${seconds} s)`)
    if (failure === undefined) continue
    console.log(failure)
    process.exitCode = 1
  }
}

/** @returns what it said, if it failed */
async function failureOf(check: string): Promise<string | undefined> {
  try {
    await run('npm', ['run', '--silent', `check:${check}`], { maxBuffer: Number.POSITIVE_INFINITY })
    return undefined
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout?: string; stderr?: string }
    return `${stdout ?? message}${stderr ?? ''}`.trimEnd()
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, runWaiting))
