/** Servers that the commands start for themselves. */
import { existsSync } from 'node:fs'
import path from 'node:path'

/** @returns the first of these programs that is there @throws when none is */
export function programOf({
  name,
  programs,
  install,
}: {
  readonly name: string
  readonly programs: readonly string[]
  readonly install: string
}): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const found = programs
    .flatMap((program) => folders.map((folder) => path.resolve(folder, program)))
    .find((file) => existsSync(file))
  if (found === undefined) throw new Error(`${name} is not installed: ${install}`)
  return found
}
