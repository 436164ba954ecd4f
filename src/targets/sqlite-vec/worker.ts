/**
 * The thread: carries out one request after another. The file is opened when it is first needed, and again after failing:
 * another may stand in its place by then.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, nameOf } from '../../sqlite-codes.ts'
import type { Reply, Request, ThreadSettings } from './messages.ts'
import { VectorFile } from './vector-file.ts'

const settings = workerData as ThreadSettings
let opened: VectorFile | undefined

async function answerTo(request: Request): Promise<unknown> {
  if (request.kind === 'close') return close()
  opened ??= await VectorFile.open(settings)
  switch (request.kind) {
    case 'apply':
      return opened.apply(request.changes, request.nowMs)
    case 'search':
      return opened.search(request.vector, request.k)
    case 'probe':
      return opened.probe()
  }
}

/**
 * Where it cannot be opened, whyever, no change was looked at. Else the code tells (https://www.sqlite.org/rescode.html):
 * CANTOPEN, READONLY, IOERR, FULL, CORRUPT, BUSY and their kin are about the file, the others about what it was given.
 */
function isOfTheFile(errcode: number): boolean {
  return opened === undefined || failureOf(errcode) !== 'rejected'
}

function close(): void {
  opened?.close()
  opened = undefined
}

async function replyTo(request: Request): Promise<Reply> {
  try {
    return { kind: 'answer', answer: await answerTo(request) }
  } catch (error) {
    const { message, errcode } = error as Error & { readonly errcode?: number }
    const isDown = isOfTheFile(errcode ?? 0)
    if (isDown) close()
    return {
      kind: 'failure',
      message: errcode === undefined ? message : `${message} (${nameOf(errcode)})`,
      isDown,
    }
  }
}

let turn = Promise.resolve()
parentPort?.on('message', (request: Request) => {
  turn = turn.then(async () => {
    parentPort?.postMessage(await replyTo(request))
    if (request.kind === 'close') parentPort?.close()
  })
})
