/** Where the parts of a running system are: written by `up` into the state folder, read by whoever asks. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Place {
  readonly api: string
  readonly dashboard: string
  readonly site: string
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
}

export function announce(state: string, place: Place): void {
  mkdirSync(state, { recursive: true })
  const file = fileOf(state)
  writeFileSync(`${file}.tmp`, JSON.stringify(place, undefined, 2))
  renameSync(`${file}.tmp`, file)
}

export function withdraw(state: string): void {
  rmSync(fileOf(state), { force: true })
}

/** @throws when nothing runs there */
export function placeIn(state: string): Place {
  try {
    return JSON.parse(readFileSync(fileOf(state), 'utf8')) as Place
  } catch (cause) {
    throw new Error(
      `Nothing runs with the state folder "${state}": npm run extraction -- up, or give --api URL.`,
      { cause },
    )
  }
}

function fileOf(state: string): string {
  return path.join(state, 'place.json')
}
