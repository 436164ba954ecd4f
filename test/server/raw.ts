/** HTTP by the byte: what no client library would send. Knows nothing of a test runner: a campaign uses it too. */
import { connect, type Socket } from 'node:net'

/** Sends bytes and gathers what comes until the server closes, or `isEnough` says so. */
export class RawClient {
  readonly socket: Socket
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>
  text = ''
  #wake = (): void => undefined

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.text += text
      this.#wake()
    })
    // That the server cuts it off is what many a request here is about.
    this.socket.on('error', () => undefined)
    this.socket.on('end', () => this.socket.end())
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#wake()
        resolve()
      })
    })
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Resolves when what came holds this text. @throws when the connection closed before */
  async received(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.socket.closed)
        throw new Error(`closed before ${JSON.stringify(text)}; got ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, status]) => Number(status))
  }
}
