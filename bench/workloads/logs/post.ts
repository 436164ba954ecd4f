/**
 * The process of a client: lines of JSON, a thousand to a request, a few requests under way on connections that stay
 * open. It has them ready before the clock starts, since making them is the work of whoever logs. The last request
 * waits for its commit, and with it for all before it.
 */
import { Agent, request } from 'node:http'
import type { LogJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { entryAt } from './entries.ts'
import { CLIENTS, LINES_PER_REQUEST } from './sizes.ts'

const BODIES = 64

export const post: Workload<Usage, LogJob> = async ({ url, rows, warmRows }) => {
  const bodies = Array.from({ length: BODIES }, (_, body) => bodyOf(body * LINES_PER_REQUEST))
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  let next = 0
  const sendUpTo = async (end: number): Promise<void> => {
    const lanes = Array.from({ length: CLIENTS }, async () => {
      while (next < end) await send(agent, url, 'accepted', bodies[next++ % BODIES] as Buffer)
    })
    await Promise.all(lanes)
    await send(agent, url, 'committed', Buffer.alloc(0))
  }
  await sendUpTo(warmRows / LINES_PER_REQUEST)
  const stop = startMeter()
  await sendUpTo((warmRows + rows) / LINES_PER_REQUEST)
  const usage = stop()
  agent.destroy()
  return usage
}

function bodyOf(first: number): Buffer {
  const lines = Array.from({ length: LINES_PER_REQUEST }, (_, at) => {
    const { ts, level, service, message, attributes } = entryAt(first + at)
    return `${JSON.stringify({ level, time: ts, service, ...attributes, msg: message })}\n`
  })
  return Buffer.from(lines.join(''))
}

/** @throws unless every line was taken */
function send(agent: Agent, url: string, ack: 'accepted' | 'committed', body: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
  const sent = request(`${url}/v1/logs?ack=${ack}`, { method: 'POST', agent, headers }, (answer) => {
    let text = ''
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    answer.once('end', () => {
      const { statusCode = 0 } = answer
      if (statusCode < 300) resolve()
      else reject(new Error(`the server answered ${statusCode}: ${text}`))
    })
  })
  sent.once('error', reject)
  sent.end(body)
  return promise
}
