import path from 'node:path'

/** Where a vault keeps what is its own. */
export function stateOf({
  folder,
  state,
}: {
  readonly folder: string
  readonly state?: string | undefined
}): string {
  return path.resolve(state ?? path.join(folder, '.vault'))
}
