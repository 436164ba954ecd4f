/** The client that all engines of one store share: ours, opened for the first of them and closed after the last; or the caller's. */
import { open as openFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Surreal, createRemoteEngines } from 'surrealdb'
import type { Runtime } from '../../contracts/runtime.ts'
import { NotSupportedError, StoreError } from '../../errors.ts'
import { toStoreError } from './classify.ts'
import type { SurrealSettings } from './options.ts'
import { PathLock } from './path-lock.ts'

export interface Connection {
  /** For messages. */
  readonly name: string
  take(runtime: Runtime): Promise<Surreal>
  letGo(): Promise<void>
  /** What was committed survives a power loss from here on, as far as that is ours to see to. */
  sync(): Promise<void>
}

/** The caller's own: it is connected, and uses a namespace and a database. */
export class BorrowedConnection implements Connection {
  readonly name = 'surrealdb'
  readonly #client: Surreal

  constructor(client: Surreal) {
    this.#client = client
  }

  async take(): Promise<Surreal> {
    await this.#client.ready
    return this.#client
  }

  async letGo(): Promise<void> {}

  async sync(): Promise<void> {}
}

const openingMs = 10_000
/** An engine that is closed lets go of its path a moment later. */
const lettingGoMs = 100

interface Opened {
  readonly client: Surreal
  readonly lock: PathLock | undefined
  readonly runtime: Runtime
}

export class OwnConnection implements Connection {
  readonly name: string
  readonly #url: string
  readonly #options: SurrealSettings
  /** Of an embedded engine on disk. */
  readonly #path: string | undefined
  #users = 0
  #opening: Promise<Opened> | undefined
  #closing: Promise<void> = Promise.resolve()

  constructor(url: string, options: SurrealSettings) {
    this.#url = url
    this.#options = options
    this.#path = pathOf(url)
    this.name = `surrealdb (${this.#path ?? new URL(url).host ?? url})`
  }

  async take(runtime: Runtime): Promise<Surreal> {
    await this.#closing
    this.#users++
    this.#opening ??= this.#open(runtime)
    try {
      return (await this.#opening).client
    } catch (error) {
      this.#users--
      this.#opening = undefined
      throw error
    }
  }

  async letGo(): Promise<void> {
    if (--this.#users > 0 || this.#opening === undefined) return
    const opening = this.#opening
    this.#opening = undefined
    this.#closing = opening.then(async ({ client, lock, runtime }) => {
      await client.close().catch(() => undefined)
      if (lock === undefined) return
      await new Promise<void>((free) => runtime.after(lettingGoMs, free))
      lock.release()
    })
    await this.#closing
  }

  /** SurrealKV hands what it commits to the system at once, and leaves it to that when it is written: so that is asked. */
  async sync(): Promise<void> {
    if (this.#path === undefined) return
    const entries = await readdir(this.#path, { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile() && !entry.isDirectory()) continue
      // It may be gone: what was in it is in another one by now.
      const file = await openFile(join(entry.parentPath, entry.name), 'r').catch(() => undefined)
      if (file === undefined) continue
      await using closing = file
      await closing.sync()
    }
  }

  async #open(runtime: Runtime): Promise<Opened> {
    const lock = this.#path === undefined ? undefined : new PathLock(this.#path)
    try {
      const client = new Surreal({
        engines: { ...createRemoteEngines(), ...(await embeddedEngines(this.#url)) },
      })
      const { namespace, database, authentication } = this.#options
      const connecting = client.connect(this.#url, {
        namespace,
        database,
        ...(authentication === undefined ? {} : { authentication }),
      })
      await (this.#path === undefined ? connecting : inTime(connecting, this.#path, runtime))
      return { client, lock, runtime }
    } catch (error) {
      lock?.release()
      throw error instanceof NotSupportedError || error instanceof StoreError ? error : toStoreError(error)
    }
  }
}

/** An engine that finds its path taken waits for ever, and says nothing. */
async function inTime(opening: Promise<unknown>, path: string, runtime: Runtime): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = runtime.after(openingMs, () => {
    late.reject(
      new StoreError('fatal', `${path} could not be opened within ${openingMs} ms`, {
        hint: 'See that no other program has it open. A process that has made an index in a database keeps that open until it ends.',
      }),
    )
  })
  try {
    await Promise.race([opening, late.promise])
  } finally {
    timer.cancel()
  }
}

async function embeddedEngines(url: string): Promise<ReturnType<typeof createRemoteEngines>> {
  if (!isEmbedded(url)) return {}
  try {
    return (await import('@surrealdb/node')).createNodeEngines()
  } catch (cause) {
    throw new StoreError('fatal', 'the embedded engine of SurrealDB could not be loaded', {
      cause,
      hint: 'Install it beside: `npm install @surrealdb/node`.',
    })
  }
}

export function isEmbedded(url: string): boolean {
  return /^(?:mem|rocksdb|surrealkv(?:\+versioned)?):/.test(url)
}

function pathOf(url: string): string | undefined {
  const path = /^(?:rocksdb|surrealkv(?:\+versioned)?):\/\/([^?]*)/.exec(url)?.[1]
  return path === undefined ? undefined : resolve(path)
}
