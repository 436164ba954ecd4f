/** Where and with what the numbers were taken: without it they mean nothing to the next reader. */

import { readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { createRequire } from 'node:module'

export interface Environment {
  readonly takenAt: string
  readonly machine: string
  readonly fileSystem: string
  readonly node: string
  readonly sqlite: string
  readonly packages: Readonly<Record<string, string>>
}

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x01021994: 'tmpfs (memory: no real disk behind these numbers)',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
}

export const PACKAGES = [
  'better-sqlite3',
  'kysely',
  'drizzle-orm',
  'pg',
  'pg-copy-streams',
  'graphile-worker',
  'pg-boss',
  'bullmq',
  'ioredis',
] as const

export function readEnvironment(folder: string): Environment {
  const processors = `${availableParallelism()} × ${cpus()[0]?.model.trim() || process.arch}`
  const fileSystem = statfsSync(folder).type
  const installed = PACKAGES.map((name) => [name, installedVersion(name) ?? 'not installed'] as const)
  return {
    takenAt: new Date().toISOString(),
    machine: `${processors}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    fileSystem: FILE_SYSTEMS[fileSystem] ?? `type 0x${fileSystem.toString(16)}`,
    node: process.versions.node,
    sqlite: String(process.versions['sqlite']),
    packages: Object.fromEntries(installed),
  }
}

/** The version in bench/node_modules, and only there: the root install holds some of these for tests. */
export function installedVersion(name: string): string | undefined {
  try {
    const path = new URL(`../node_modules/${name}/package.json`, import.meta.url)
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
    return version
  } catch {
    return undefined
  }
}

/** The version that bench/package.json asks for. */
export function wantedVersion(name: string): string | undefined {
  const { dependencies } = createRequire(import.meta.url)('../package.json') as {
    dependencies: Record<string, string>
  }
  return dependencies[name]
}
