/** One SQLite library for each file in a process: what a second one does, and where one could come from. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { counted, ok, warn, type Finding } from './finding.ts'
import type { Holder, Holders } from './holders.ts'

const trap =
  'The system drops all locks of a process on a file as soon as it closes that file once, whoever opened it: when the ' +
  'second library closes its descriptor, the first one goes on without locks, and rows that were acknowledged are lost. '

export function inUse(found: Holders | undefined): Finding {
  const name = 'in use'
  if (found === undefined) return ok(name, 'only Linux tells which processes have a file open')
  const { holders, hidden } = found
  const unseen =
    hidden === 0
      ? ''
      : ` (${counted(hidden, 'process', 'processes')} of other users could not be looked into)`
  const stale = holders.filter(({ holdsDeleted }) => holdsDeleted)
  if (stale.length > 0)
    return warn(
      name,
      `${listed(stale)} has a file open that was here and was removed or replaced: what it writes is lost`,
      'Stop it and start it again. A database that is in use must not be replaced or removed.',
    )
  if (holders.length === 0) return ok(name, `no other process has it open${unseen}`)
  return ok(name, `open in ${listed(holders)}${unseen}`)
}

/** Whether a process that has the file open could open it with two libraries, or has. */
export function libraries(found: Holders | undefined): Finding {
  const name = 'libraries'
  if (found === undefined) return ok(name, 'only Linux tells which libraries a process has loaded')
  const doubled = found.holders.filter((holder) => holder.libraries.length > 1)
  if (doubled.length === 0)
    return ok(name, 'no process that has the file open has two SQLite libraries loaded')
  const each = doubled.map(
    ({ pid, program, libraries: loaded, descriptors }) =>
      `process ${pid} (${program}) has ${loaded.join(' and ')} loaded, and the file open ${counted(descriptors, 'time')}`,
  )
  return warn(
    name,
    each.join('; '),
    `${trap}Open this file with one of them only in that process; the other may run in a process of its own.`,
  )
}

function listed(holders: readonly Holder[]): string {
  return holders.map(({ pid, program }) => `process ${pid} (${program})`).join(', ')
}

/** Packages that bring an SQLite which opens files, or are a layer over one. */
const packages = [
  'better-sqlite3',
  'better-sqlite3-multiple-ciphers',
  'sqlite3',
  'sqlite',
  '@vscode/sqlite3',
  '@journeyapps/sqlcipher',
  'libsql',
  '@libsql/client',
  'node-sqlite3-wasm',
  'sql.js-node-fs',
  'bun-sqlite',
]

/** @param folder where a program would look for packages, from there upwards */
export function installedPackages(folder: string): Finding {
  const name = 'packages'
  const found = packages.flatMap((each) => findPackage(each, folder) ?? [])
  if (found.length === 0) return ok(name, 'no second SQLite library is installed in this project')
  return warn(
    name,
    `${found.map((each) => `${each.name} ${each.version}`).join(', ')} in ${[...new Set(found.map((each) => each.in))].join(', ')}`,
    `Harmless as long as no process opens the same file with it and with Tidemark. ${trap}Use Tidemark's connection ` +
      'there (`db.read()`, `db.transaction()`), or a process of its own.',
  )
}

interface Package {
  readonly name: string
  readonly version: string
  readonly in: string
}

function findPackage(name: string, from: string): Package | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules')
    const file = join(modules, name, 'package.json')
    if (existsSync(file)) return { name, version: versionIn(file), in: modules }
    if (dirname(folder) === folder) return undefined
  }
}

function versionIn(file: string): string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const hasVersion = typeof parsed === 'object' && parsed !== null && 'version' in parsed
    return hasVersion ? String(parsed.version) : '(no version)'
  } catch {
    return '(unreadable)'
  }
}
