/** One of the threads that read files. In the baseline it writes what it read itself. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { BrokenFileError } from '../audio/broken.ts'
import { readBytes, readSong } from '../audio/read-song.ts'
import { OwnConnection } from './baseline-connection.ts'
import { recordInSteps } from './baseline-steps.ts'
import type { FromWorker, Task, ToWorker, WorkerOptions } from './messages.ts'

if (parentPort === null) throw new Error('this is a thread of `npm run music`')
const port = parentPort
const { folder, ownConnection } = workerData as WorkerOptions
const connection = ownConnection === undefined ? undefined : new OwnConnection(ownConnection)

/** Who hands out files and who writes go first, also where sixteen that compute leave a few cores no time. */
const niceness = 10
// On Linux this is the thread's own, elsewhere the process's, where it changes nothing.
setPriority(niceness)

const inbox: ToWorker[] = []
let wake: (() => void) | undefined
port.on('message', (task: ToWorker) => {
  inbox.push(task)
  wake?.()
})

tell({ kind: 'ready' })
let startedMs: number | undefined
let waitedMs = 0
for (;;) {
  const fromMs = performance.now()
  const task = await nextTask()
  if (task === 'end') break
  if (startedMs === undefined) startedMs = performance.now()
  else waitedMs += performance.now() - fromMs
  tell(await read(task))
}
const totalMs = startedMs === undefined ? 0 : performance.now() - startedMs
tell({ kind: 'ended', tally: { totalMs, waitedMs, connection: connection?.close() } })
port.close()

async function nextTask(): Promise<ToWorker> {
  for (;;) {
    const task = inbox.shift()
    if (task !== undefined) return task
    await new Promise<void>((resolve) => (wake = resolve))
  }
}

async function read({ path, knownHash }: Task): Promise<FromWorker> {
  try {
    const { bytes, hash } = readBytes(folder, path)
    if (connection !== undefined)
      return await recordInSteps(connection, path, hash, () => readSong(path, bytes, hash))
    if (hash === knownHash) return { kind: 'unchanged', path }
    return { kind: 'read', song: await readSong(path, bytes, hash) }
  } catch (error) {
    if (error instanceof BrokenFileError) return { kind: 'skipped', path, reason: error.message }
    throw error
  }
}

function tell(message: FromWorker): void {
  port.postMessage(message)
}
