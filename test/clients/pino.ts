/** Programs that log with pino, and what came of their lines. */
import { Child } from '../support/child.ts'
import { look } from '../support/database-file.ts'
import type { Task } from './pino-program.ts'

export function program(task: Task): Child {
  return new Child(new URL('pino-program.ts', import.meta.url), [JSON.stringify(task)])
}

export interface Row {
  readonly id: number
  readonly ts: number
  readonly level: string
  readonly service: string | null
  readonly message: string
  readonly attributes: string | null
}

/** In the order of their ids. */
export function rowsIn(file: string): Row[] {
  return look<Row>(file, 'SELECT * FROM logs ORDER BY id')
}

export function messagesIn(file: string): string[] {
  return rowsIn(file).map(({ message }) => message)
}

/** `line 0`, `line 1`, … as the program writes them. */
export function messages(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `line ${n}`)
}
