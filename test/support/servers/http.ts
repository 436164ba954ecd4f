/** An HTTP server of the tests: it records what it is asked, and answers what the test says. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Recorded {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, unless it is a text. */
  readonly body?: unknown
}

export class HttpServer {
  readonly requests: Recorded[] = []
  readonly url: string
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  /** @param answer may also write the response itself, and then gives nothing */
  static async start(
    answer: (request: Recorded, response: ServerResponse) => Answer | undefined | Promise<Answer | undefined>,
  ): Promise<HttpServer> {
    const reply = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
      const request = await recordOf(incoming)
      server.requests.push(request)
      const given = await answer(request, response)
      if (given === undefined) return
      const { status = 200, headers = {}, body } = given
      const isText = typeof body === 'string' || body === undefined
      response.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...headers })
      response.end(isText ? body : JSON.stringify(body))
    }
    const listening = createServer((incoming, response) => void reply(incoming, response)).listen(
      0,
      '127.0.0.1',
    )
    await once(listening, 'listening')
    const { port } = listening.address() as AddressInfo
    const server = new HttpServer(`http://127.0.0.1:${port}`, async () => {
      listening.closeAllConnections()
      listening.close()
      await once(listening, 'close')
    })
    return server
  }

  async close(): Promise<void> {
    await this.#close()
  }
}

async function recordOf(incoming: IncomingMessage): Promise<Recorded> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  const { method = '', url = '', headers } = incoming
  const texts = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  return {
    method,
    path: url,
    headers: Object.fromEntries(texts) as Record<string, string>,
    body: Buffer.concat(parts).toString(),
  }
}
