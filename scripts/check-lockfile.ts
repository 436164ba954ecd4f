/**
 * Checks every committed lockfile, because npm writes some that only work where they were written:
 *
 * - it says the same as the package.json beside it;
 * - it holds the optional packages of every platform, else `npm ci` breaks on the others;
 * - it names no download address, so that it works with any registry.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'

interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
type Manifest = Readonly<Record<string, unknown>>

const FIELDS = [
  'name',
  'version',
  'dependencies',
  'devDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'optionalDependencies',
]

const lockfiles = globSync('**/package-lock.json', { exclude: (name) => name === 'node_modules' })
const problems = lockfiles.flatMap((file) => problemsOf(file).map((problem) => `${file}: ${problem}`))
if (!lockfiles.includes('package-lock.json')) problems.push('package-lock.json: missing')
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

function problemsOf(lockfile: string): string[] {
  const manifest = JSON.parse(
    readFileSync(path.join(path.dirname(lockfile), 'package.json'), 'utf8'),
  ) as Manifest
  const lock = JSON.parse(readFileSync(lockfile, 'utf8')) as { readonly packages: Record<string, LockEntry> }
  const root = (lock.packages[''] ?? {}) as Manifest

  const disagreements = FIELDS.filter((field) => !isDeepStrictEqual(root[field], manifest[field])).map(
    (field) => `"${field}" differs from package.json: run npm install`,
  )
  const entries = Object.entries(lock.packages)
  const unpinned = exactDependencies(manifest)
    .filter(([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version)
    .map(([name, version]) => `${name} should be locked at ${version}`)
  const addresses = entries
    .filter(([, entry]) => entry.resolved !== undefined && !entry.link)
    .map(([name, entry]) => `${name} names the address ${entry.resolved}`)
  const lost = entries.flatMap(([from, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !isLocked(lock.packages, from, name))
      .map((name) => `${name} is missing, which ${from || 'package.json'} needs on some platform`),
  )
  return [...disagreements, ...unpinned, ...addresses, ...lost]
}

function exactDependencies(manifest: Manifest): Array<[string, string]> {
  return Object.entries({
    ...(manifest['dependencies'] as Record<string, string> | undefined),
    ...(manifest['devDependencies'] as Record<string, string> | undefined),
  }).filter(([, range]) => /^\d/.test(range))
}

/** Looks for `name` where Node would from `from`: in its own node_modules, then in those above it. */
function isLocked(packages: Record<string, LockEntry>, from: string, name: string): boolean {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true
    if (at === '') return false
  }
}
