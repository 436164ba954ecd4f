/** Starts contenders, answers their pauses, and turns whatever goes wrong in them into one readable error. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BenchJob } from './job.ts'

const CONTENDER = fileURLToPath(new URL('./contender.ts', import.meta.url))
const LAST_WORDS = 4_000
const TIME_LIMIT_MS = 10 * 60_000

type Message<Result> = { readonly paused: string } | { readonly result: Result }

export interface RunOptions {
  /** Called while the contender waits: it does nothing until this is through. */
  readonly onPause?: (moment: string) => void | Promise<void>
  /** Where to leave a CPU profile of each of the contender's threads. */
  readonly profileFolder?: string | undefined
  readonly nodeOptions?: readonly string[]
}

export function runContender<Result>(job: BenchJob, options: RunOptions = {}): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const profile = options.profileFolder ? ['--cpu-prof', '--cpu-prof-dir', options.profileFolder] : []
  const child = fork(CONTENDER, {
    execArgv: [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning',
      ...profile,
      ...(options.nodeOptions ?? []),
    ],
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  let errors = ''
  let outcome: { result: Result } | undefined
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (errors = (errors + text).slice(-LAST_WORDS)))
  const answer = async (moment: string): Promise<void> => {
    await options.onPause?.(moment)
    child.send('go')
  }
  child.on('message', (message: Message<Result>) => {
    if ('result' in message) {
      outcome = message
      return
    }
    answer(message.paused).catch((error: unknown) => {
      reject(error)
      child.kill()
    })
  })
  child.once('error', reject)
  child.once('close', (code, signal) => {
    if (outcome && code === 0) resolve(outcome.result)
    else reject(new Error(`${job.workload} of ${job.peer} ended with ${signal ?? code}.\n${errors.trim()}`))
  })
  child.send(job)
  return promise
}
