/** Packs the package as npm would publish it, and has publint and "are the types wrong" look at the tarball. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-pack-'))
try {
  run('npm pack', 'npm', 'pack', '--pack-destination', folder) // builds first, by `prepack`
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`)
  run('publint', 'npx', '--no-install', 'publint', path.join(folder, tarball), '--strict')
  run(
    'are the types wrong',
    'npx',
    '--no-install',
    'attw',
    path.join(folder, tarball),
    '--profile',
    'esm-only',
  )
} finally {
  rmSync(folder, { recursive: true })
}

function run(label: string, command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${label}`)
  if (status === 0) return
  console.log(`${stdout}${stderr}`.trimEnd())
  process.exitCode = 1
}
