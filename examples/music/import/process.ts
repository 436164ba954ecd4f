/** An import in a process of its own: it says how far it is, and at last how it went. It may be killed at any time. */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ImportResult } from './result.ts'
import type { Watcher } from './run.ts'

/** What such a process tells the one that started it. */
export type Telling =
  | { readonly kind: 'starts'; readonly files: number }
  | { readonly kind: 'goesOn'; readonly read: number; readonly done: number }
  | { readonly kind: 'result'; readonly result: ImportResult }

const program = fileURLToPath(new URL('../main.ts', import.meta.url))

export class ImportProcess {
  readonly #child: ChildProcess
  /** Undefined when it was killed. Rejects when it ended in any other way without a result. */
  readonly result: Promise<ImportResult | undefined>

  constructor(args: readonly string[], watcher: Watcher) {
    this.#child = fork(program, args)
    this.result = new Promise((resolve, reject) => {
      let result: ImportResult | undefined
      this.#child.on('message', (telling: Telling) => {
        if (telling.kind === 'starts') watcher.starts(telling.files)
        else if (telling.kind === 'goesOn') watcher.goesOn(telling.read, telling.done)
        else result = telling.result
      })
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => {
        if (result !== undefined || signal === 'SIGKILL') resolve(result)
        else reject(new Error(`the import ended with ${signal ?? `code ${code}`}`))
      })
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** For the process itself: the watcher that tells the one that started it; undefined where nobody did. */
export function parentProcess(): (Watcher & { ends(result: ImportResult): void }) | undefined {
  if (process.send === undefined) return undefined
  const tell = (telling: Telling): void => void process.send?.(telling)
  return {
    starts: (files) => tell({ kind: 'starts', files }),
    goesOn: (read, done) => tell({ kind: 'goesOn', read, done }),
    ends(result) {
      tell({ kind: 'result', result })
      process.disconnect()
    },
  }
}
