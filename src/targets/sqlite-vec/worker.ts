/** The thread: carries out one request after another. The file is opened when it is first needed, and again after failing. */
import { parentPort, workerData } from 'node:worker_threads'
import { nameOf } from '../../sqlite-codes.ts'
import type { Reply, Request, ThreadSettings } from './messages.ts'
import { VectorFile } from './vector-file.ts'

const settings = workerData as ThreadSettings
let opened: VectorFile | undefined

async function answerTo(request: Request): Promise<unknown> {
  if (request.kind === 'close') {
    opened?.close()
    opened = undefined
    return undefined
  }
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

async function replyTo(request: Request): Promise<Reply> {
  try {
    return { kind: 'answer', answer: await answerTo(request) }
  } catch (error) {
    const { message, errcode } = error as Error & { readonly errcode?: number }
    const code = errcode === undefined ? '' : nameOf(errcode)
    return {
      kind: 'failure',
      message: code === '' ? message : `${message} (${code})`,
      isBusy: /BUSY|LOCKED/.test(code),
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
