/** `npm run vault -- watch`: follows a folder until it is told to stop, and answers whoever asks. */
import { once } from 'node:events'
import { announce, watcherOf, withdraw } from './ask/client.ts'
import { Vault } from './pipeline/vault.ts'
import type { Place } from './place.ts'
import { stateOf } from './state-folder.ts'
import { serveVault, type Served } from './server/serve.ts'

export interface WatchOptions extends Place {
  readonly port: number
  /** A line for each step of each note, for programs. */
  readonly events: boolean
}

export async function watch({ port, events, ...place }: WatchOptions): Promise<number> {
  const state = stateOf(place)
  const other = await watcherOf(state, place.folder)
  if (other)
    throw new Error(
      `${place.folder} is watched already, by process ${other.pid}: http://127.0.0.1:${other.port}/`,
    )
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  let served: Served | undefined
  const vault = await Vault.open({
    ...place,
    onNotice: (notice) => {
      console.log(notice)
      served?.notice(notice)
    },
  })
  try {
    const lost = vault.metadata.db.on('fenced', ({ error }) => {
      console.error(`Somebody else watches this folder now. ${error.message}`)
      process.exitCode = 1
      stop.abort()
    })
    if (events) vault.index.follow(({ path, stage }) => console.log(`${stage} ${path}`))
    served = await serveVault(vault, port)
    announce(state, { port: served.port, pid: process.pid })
    console.log(`page http://127.0.0.1:${served.port}/`)
    void vault.watch()
    if (!stop.signal.aborted) await once(stop.signal, 'abort')
    lost()
    return Number(process.exitCode ?? 0)
  } finally {
    withdraw(state)
    await served?.close()
    await vault.close().catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error)
    })
  }
}
