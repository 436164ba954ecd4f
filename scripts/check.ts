/** Runs every check, also after one has failed: whoever fixes one wants to know of the others. */
import { spawnSync } from 'node:child_process'

const checks = ['format', 'lint', 'source', 'types', 'imports', 'unused', 'lockfile']

const failed = checks.filter((check) => {
  const startedMs = performance.now()
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', `check:${check}`], {
    encoding: 'utf8',
  })
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} check:${check} (${seconds} s)`)
  if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd())
  return status !== 0
})

if (failed.length > 0) process.exitCode = 1
