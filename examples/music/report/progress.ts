/** How far an import is: a bar on a terminal, a line now and then elsewhere. Both on standard error. */
import { SingleBar } from 'cli-progress'
import type { Watcher } from '../import/run.ts'

const everyMs = 2_000

export interface Progress extends Watcher {
  ends(): void
}

export function showProgress(name: string): Progress {
  return process.stderr.isTTY ? bar(name) : lines(name)
}

function bar(name: string): Progress {
  const shown = new SingleBar({
    format: `${name.padEnd(8)} {bar} {value}/{total} files read, {done} done, {eta_formatted} to go`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
  })
  return {
    starts: (files) => shown.start(files, 0, { done: 0 }),
    goesOn: (read, done) => shown.update(read, { done }),
    ends: () => shown.stop(),
  }
}

function lines(name: string): Progress {
  let total = 0
  let toldMs = performance.now()
  return {
    starts(files) {
      total = files
      console.error(`${name}: ${files} files`)
    },
    goesOn(read, done) {
      if (performance.now() - toldMs < everyMs) return
      toldMs = performance.now()
      console.error(`${name}: ${read} of ${total} files read, ${done} done`)
    },
    ends: () => undefined,
  }
}
