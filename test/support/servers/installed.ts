/** Servers that tests start for themselves from programs of the system, and what is said when those are missing. */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'

export interface Service<S extends AsyncDisposable> {
  readonly name: string
  /** Any one of these is needed: names to be looked for, or where they are. */
  readonly programs: readonly string[]
  /** The command that installs it, for who has none. */
  readonly install: string
  /** Starts a server that nobody else uses. Disposed, it has stopped and left nothing behind. */
  start(program: string): Promise<S>
}

/** Where servers are, beside the folders of PATH: those of a plain user lack them. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Defines tests on a server that is started for this file. Without its program they are one skipped test that tells
 * how to install it; where `TIDEMARK_REQUIRE_SERVICES=1` is set, one that fails.
 */
export async function withServer<S extends AsyncDisposable>(
  service: Service<S>,
  define: (server: S) => void | Promise<void>,
): Promise<void> {
  const program = findProgram(...service.programs)
  if (program === undefined) {
    test(`${service.name} is installed`, ({ skip }) => {
      const missing = `${service.programs.join(' or ')} is not installed: ${service.install}`
      if (process.env['TIDEMARK_REQUIRE_SERVICES'] === '1') expect.fail(missing)
      skip(missing)
    })
    return
  }
  const server = await service.start(program)
  afterAll(() => server[Symbol.asyncDispose]())
  await define(server)
}

/** The first of these programs that is there. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), ...systemFolders]
  return names.flatMap((name) => folders.map((folder) => path.resolve(folder, name))).find(isProgram)
}

/** One program beside a server that comes with it. @throws when it is not there */
export function requireProgram(name: string, install: string): string {
  return findProgram(name) ?? expect.fail(`${name} is not installed: ${install}`)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
