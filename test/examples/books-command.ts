/** `npm run books -- …` as a user runs it, in a process of its own. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { RunResult } from '../../examples/books/run.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { Program } from '../support/program.ts'

const main = new URL('../../examples/books/main.ts', import.meta.url)

/** It is killed at the end of the test if it still runs. */
export function books(...parameters: readonly string[]): Program {
  const program = new Program(main, parameters)
  onTestFinished(async () => void (await program.kill()))
  return program
}

/** @returns what it said, when it is over and had nothing to complain about */
export async function booksDone(...parameters: readonly string[]): Promise<string> {
  const program = books(...parameters)
  const { code } = await program.ended
  expect(code, `${program.lines.join('\n')}\n${program.stderr}`).toBe(0)
  return program.lines.join('\n')
}

/** One run until all books are done. */
export async function runDone(database: string, ...parameters: readonly string[]): Promise<RunResult> {
  const json = path.join(temporaryFolder(), 'run.json')
  await booksDone('run', '--database', database, '--json', json, ...parameters)
  return JSON.parse(readFileSync(json, 'utf8')) as RunResult
}

export function newFile(): string {
  return path.join(temporaryFolder(), 'books.db')
}
