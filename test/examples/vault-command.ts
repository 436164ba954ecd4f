/** `npm run vault -- …` as a user runs it, and vaults in this process. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { Vault, VaultOptions } from '../../examples/vault/pipeline/vault.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { Program, type ProgramOptions } from '../support/program.ts'

const main = new URL('../../examples/vault/main.ts', import.meta.url)

/** It is killed at the end of the test if it still runs. */
export function watcher(folder: string, options: ProgramOptions, ...parameters: readonly string[]): Program {
  const given = ['watch', folder, '--embedder', 'hashing', '--events', ...parameters]
  const program = new Program(main, given, options)
  onTestFinished(async () => void (await program.kill()))
  return program
}

/** Runs one command to its end. */
export function vault(
  ...parameters: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const given = [main.pathname, ...parameters, '--embedder', 'hashing']
    execFile(process.execPath, given, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

/** `npm start` of the example, from another folder, with no Node but the machine's on the path; ended with the test. */
export function start(
  from: string,
  ...parameters: readonly string[]
): { said(words: string): Promise<string> } {
  const example = path.dirname(main.pathname)
  const paths = (process.env['PATH'] ?? '').split(path.delimiter)
  const PATH = paths.filter((one) => !one.includes('node_modules')).join(path.delimiter)
  const child = spawn('npm', ['start', '--prefix', example, '--', ...parameters, '--embedder', 'hashing'], {
    cwd: from,
    // npm, its shell and the watcher are told to end together.
    detached: true,
    env: { ...process.env, PATH, INIT_CWD: undefined, NODE_OPTIONS: undefined },
  })
  let output = ''
  const heard = new Set<() => void>()
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const hear of heard) hear()
    })
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
    await ended
  })
  const said = (words: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const hear = (): void => {
        const line = output.split('\n').find((one) => one.includes(words))
        if (line !== undefined) resolve(line)
      }
      heard.add(hear)
      hear()
      void ended.then(() => reject(new Error(`it ended without "${words}": ${output}`)))
    })
  return { said }
}

/** A folder with these notes, and one beside it for the vault's own. */
export function notesFolder(notes: Readonly<Record<string, string | Uint8Array>>): {
  readonly folder: string
  readonly state: string
} {
  const place = temporaryFolder()
  const folder = path.join(place, 'notes')
  mkdirSync(folder)
  for (const [note, content] of Object.entries(notes)) write(folder, note, content)
  return { folder, state: path.join(place, 'state') }
}

export function write(folder: string, note: string, content: string | Uint8Array): void {
  const file = path.join(folder, note)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
}

/**
 * A vault of the test's own, closed at its end, and what it said. In SQLite unless told otherwise: an embedded SurrealDB cannot
 * be opened again at once by the process that closed it.
 */
export async function openVault(
  options: VaultOptions,
): Promise<{ readonly vault: Vault; readonly said: (words: string | RegExp) => Promise<string> }> {
  const opened = await import('../../examples/vault/pipeline/vault.ts')
  const lines: string[] = []
  let listeners: ((line: string) => void)[] = []
  const made = await opened.Vault.open({
    store: 'sqlite',
    ...options,
    onNotice: (line) => {
      lines.push(line)
      for (const listener of listeners) listener(line)
    },
  })
  onTestFinished(() => made.close())
  const said = (words: string | RegExp): Promise<string> => {
    const isIt = (line: string): boolean =>
      typeof words === 'string' ? line.includes(words) : words.test(line)
    const before = lines.find(isIt)
    if (before !== undefined) return Promise.resolve(before)
    return new Promise((resolve) => {
      const listener = (line: string): void => {
        if (!isIt(line)) return
        listeners = listeners.filter((other) => other !== listener)
        resolve(line)
      }
      listeners.push(listener)
    })
  }
  return { vault: made, said }
}
