/**
 * A proxy between `pg` and its server that takes the client's bytes apart into the protocol's messages, so that a test
 * can say at each of them what becomes of the connection.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** One message of a client, on its way to the server. */
export interface Message {
  /** Which of its connection's: 0 is the startup packet. */
  readonly index: number
  /** `Q`, `P`, `B`, `D`, `E`, `S`, `X`, …; a startup packet has none. */
  readonly letter: string
  /** Of a `Q` or `P` its text, of a `B` that of the statement which it names, and so of the `D` and `E` behind it. */
  readonly sql: string | undefined
}

/**
 * `forward`: the server gets it. `cut before`, `cut after`: both sides end, without it or behind it. `leave`: the
 * client is gone, and the server, which gets this and all that is behind it, does not know. `hold`: the server gets
 * it, and what is behind it, when `requests` are opened.
 */
export type Step = 'forward' | 'cut before' | 'cut after' | 'leave' | 'hold'

/** Asked for each message, in the order in which one connection sends them. */
export type Rule = (message: Message, wire: Wire) => Step

/** What passes in one direction, or is kept back. */
export class Gate<T> {
  readonly #pass: (item: T) => void
  readonly #kept: T[] = []
  #isOpen = true

  constructor(pass: (item: T) => void) {
    this.#pass = pass
  }

  add(item: T): void {
    this.#kept.push(item)
    this.#run()
  }

  close(): void {
    this.#isOpen = false
  }

  open(): void {
    this.#isOpen = true
    this.#run()
  }

  /** What was taken out is put back in front. */
  putBack(item: T): void {
    this.#kept.unshift(item)
  }

  #run(): void {
    while (this.#isOpen && this.#kept.length > 0) this.#pass(this.#kept.shift() as T)
  }
}

interface Parsed extends Message {
  readonly bytes: Buffer
  isDecided: boolean
}

/** One connection through the proxy. */
export class Wire {
  /** Messages to the server; `undefined` is the end. */
  readonly requests: Gate<Parsed | undefined>
  readonly replies: Gate<Buffer | undefined>
  /** The server has ended its side: nothing of this connection is carried out any more. */
  readonly ended: Promise<unknown>
  readonly #client: Socket
  readonly #server: Socket
  readonly #statements = new Map<string, string>()
  #rest = Buffer.alloc(0)
  #messages = 0
  #bound: string | undefined

  constructor(client: Socket, server: Socket, rule: Rule) {
    this.#client = client
    this.#server = server
    this.requests = new Gate((message) => this.#forward(message, rule))
    this.replies = new Gate((bytes) => void (bytes === undefined ? client.end() : client.write(bytes)))
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => undefined)
    client.on('data', (bytes: Buffer) => this.#take(bytes)).on('close', () => this.requests.add(undefined))
    this.ended = new Promise((resolve) => server.once('close', resolve))
    server
      .on('data', (bytes: Buffer) => this.replies.add(bytes))
      .on('close', () => this.replies.add(undefined))
  }

  /** Both sides end; the server still gets what was forwarded. `abruptly`: the client sees a reset, not an end. */
  cut(abruptly = false): void {
    this.requests.close()
    this.replies.close()
    if (abruptly) this.#client.resetAndDestroy()
    else this.#client.destroy()
    this.#server.end()
  }

  /** The client is gone, and the server does not know. */
  leave(): void {
    this.#client.removeAllListeners('close').destroy()
    this.replies.close()
  }

  /** Nothing passes any more, and both sides stay open. */
  blackHole(): void {
    this.requests.close()
    this.replies.close()
  }

  #take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (;;) {
      const letterBytes = this.#messages === 0 ? 0 : 1
      if (this.#rest.length < letterBytes + 4) return
      const length = letterBytes + this.#rest.readInt32BE(letterBytes)
      if (this.#rest.length < length) return
      const message = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      const letter = message.toString('latin1', 0, letterBytes)
      const sql = this.#sqlOf(letter, message)
      this.requests.add({ index: this.#messages++, letter, sql, bytes: message, isDecided: false })
    }
  }

  #sqlOf(letter: string, message: Buffer): string | undefined {
    const [first = '', second = ''] = message.toString('utf8', 5).split('\0', 2)
    if (letter === 'P') this.#statements.set(first, second)
    if (letter === 'P' || letter === 'B') this.#bound = this.#statements.get(letter === 'P' ? first : second)
    if (letter === 'Q') return first
    return 'PBDE'.includes(letter) && letter !== '' ? this.#bound : undefined
  }

  #forward(message: Parsed | undefined, rule: Rule): void {
    if (message === undefined) return void this.#server.end()
    const step = message.isDecided ? 'forward' : rule(message, this)
    message.isDecided = true
    if (step === 'cut before') return this.cut()
    if (step === 'hold') {
      this.requests.putBack(message)
      return this.requests.close()
    }
    this.#server.write(message.bytes)
    if (step === 'cut after') this.cut()
    if (step === 'leave') this.leave()
  }
}

/** Listens on a port of its own, for one server. */
export class WireProxy implements AsyncDisposable {
  /** What becomes of each message. */
  rule: Rule = () => 'forward'
  /** When false, nobody new gets through. */
  isReachable = true
  /** Its connections, in the order in which they were made. */
  readonly wires: Wire[] = []
  readonly #listening: Server
  readonly #sockets = new Set<Socket>()

  private constructor(serverPort: number) {
    this.#listening = createServer((client) => {
      if (!this.isReachable) return void client.resetAndDestroy()
      const server = connect(serverPort, '127.0.0.1')
      for (const socket of [client, server]) this.#sockets.add(socket)
      this.wires.push(new Wire(client, server, (message, wire) => this.rule(message, wire)))
    })
  }

  static async to(serverPort: number): Promise<WireProxy> {
    const proxy = new WireProxy(serverPort)
    proxy.#listening.listen(0, '127.0.0.1')
    await once(proxy.#listening, 'listening')
    return proxy
  }

  /** @param url of the server @returns the same through the proxy */
  url(url: string): string {
    const through = new URL(url)
    through.port = String((this.#listening.address() as AddressInfo).port)
    return through.href
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#listening.close()
    await once(this.#listening, 'close')
  }
}
