/** An HTTP peer that answers as a test says, in turn, and keeps what it was sent. The last answer is for all that follow. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Scripted {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** Takes all of the request, and ends the connection instead of an answer. */
  readonly isLost?: true
}

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly body: string
}

export async function scriptedServer(
  answers: readonly Scripted[],
  onPort = 0,
): Promise<{ readonly url: string; readonly received: readonly Received[]; close(): Promise<void> }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    void request.toArray().then((pieces: Buffer[]) => {
      const answer = answers[Math.min(received.length, answers.length - 1)]
      received.push({
        headers: request.headers,
        path: request.url ?? '',
        body: Buffer.concat(pieces).toString(),
      })
      if (answer === undefined || answer.isLost) return void request.socket.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(JSON.stringify(answer.body ?? {}))
    })
  }).listen(onPort, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  onTestFinished(close)
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, received, close }
}
