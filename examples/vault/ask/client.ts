/** Who answers: the watcher of the vault while one runs, since it alone knows what is under way; else this process. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { AskOptions, SearchAnswer, StatusAnswer } from './ask.ts'

export interface Questions {
  status(path: string, options: AskOptions): Promise<StatusAnswer>
  search(words: string, options: AskOptions): Promise<SearchAnswer>
  related(path: string, options: AskOptions): Promise<SearchAnswer>
}

/** Written into the state folder by the watcher. */
export interface WatcherPlace {
  readonly port: number
  readonly pid: number
}

export function announce(state: string, place: WatcherPlace): void {
  const file = placeFile(state)
  writeFileSync(`${file}.new`, JSON.stringify(place))
  renameSync(`${file}.new`, file)
}

/** Only what this process announced. */
export function withdraw(state: string): void {
  if (announced(state)?.pid === process.pid) rmSync(placeFile(state), { force: true })
}

/** @returns undefined when none answers: the file may be of one that was killed */
export async function watcherOf(state: string, folder: string): Promise<WatcherPlace | undefined> {
  const place = announced(state)
  if (place === undefined) return undefined
  try {
    const response = await fetch(`http://127.0.0.1:${place.port}/api/vault`, {
      signal: AbortSignal.timeout(5_000),
    })
    const { folder: its } = (await response.json()) as { readonly folder?: string }
    return its === path.resolve(folder) ? place : undefined
  } catch {
    return undefined
  }
}

export function askWatcher({ port }: WatcherPlace): Questions {
  const ask = async <T>(question: string, name: string, about: string, options: AskOptions): Promise<T> => {
    const url = new URL(`http://127.0.0.1:${port}/api/${question}`)
    url.searchParams.set(name, about)
    url.searchParams.set('consistency', options.consistency)
    url.searchParams.set('timeoutMs', String(options.timeoutMs))
    const response = await fetch(url)
    const answer: unknown = await response.json()
    if (response.ok) return answer as T
    throw new Error((answer as { readonly problem: string }).problem)
  }
  return {
    status: (note, options) => ask('status', 'path', note, options),
    search: (words, options) => ask('search', 'words', words, options),
    related: (note, options) => ask('related', 'path', note, options),
  }
}

function announced(state: string): WatcherPlace | undefined {
  const file = placeFile(state)
  if (!existsSync(file)) return undefined
  try {
    const { port, pid } = JSON.parse(readFileSync(file, 'utf8')) as Partial<WatcherPlace>
    return typeof port === 'number' && typeof pid === 'number' ? { port, pid } : undefined
  } catch {
    return undefined
  }
}

function placeFile(state: string): string {
  return path.join(state, 'watcher.json')
}
