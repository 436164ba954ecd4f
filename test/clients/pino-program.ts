/** A program that logs with pino through the real transport, and ends in the way that it is told to. */
import pino, { type LoggerOptions } from 'pino'
import type { PinoTransportOptions } from '../../src/pino/index.ts'

export interface Task {
  readonly transport: PinoTransportOptions
  readonly logger?: LoggerOptions
  readonly lines: number
  /**
   * `return`: nothing is left to do. `exit`: `process.exit()` in the turn that logs. `throw`: an error nobody catches.
   * `handle`: ends itself when it is told to by SIGTERM. `hold`: says when its lines are flushed, logs as many again and
   * waits to be killed. `pause`: logs half of them, and the others when it is told to.
   */
  readonly ending: 'return' | 'exit' | 'throw' | 'handle' | 'hold' | 'pause'
}

const task = JSON.parse(process.argv[2] ?? '') as Task
const target = new URL('../../src/pino/index.ts', import.meta.url).pathname
const log = pino({ ...task.logger, transport: { target, options: task.transport } })

function write(from: number, to: number): void {
  for (let n = from; n < to; n++) log.info({ n }, `line ${n}`)
}

function flushed(): Promise<void> {
  return new Promise((resolve, reject) => log.flush((error) => (error ? reject(error) : resolve())))
}

const { lines, ending } = task
switch (ending) {
  case 'return':
    write(0, lines)
    break
  case 'exit':
    write(0, lines)
    process.exit()
    break
  case 'throw':
    write(0, lines)
    throw new Error('nobody catches this')
  case 'handle':
    process.once('SIGTERM', () => {
      log.fatal('told to end')
      process.exit(0)
    })
    setInterval(() => undefined, 60_000)
    write(0, lines)
    console.log('logged')
    break
  case 'hold':
    setInterval(() => undefined, 60_000)
    write(0, lines)
    await flushed()
    console.log('flushed')
    write(lines, 2 * lines)
    console.log('holding')
    break
  case 'pause':
    write(0, lines / 2)
    await flushed()
    console.log('flushed')
    process.stdin.once('data', () => {
      write(lines / 2, lines)
      console.log('logged')
      process.stdin.destroy()
    })
    break
}
