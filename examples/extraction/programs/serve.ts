/** `npm run extraction -- serve`: the API, what watches over agreement, and the dashboard of Tidemark beside it. */
import { startApi } from '../api/start.ts'
import { openDatabase } from '../database.ts'
import { hashing } from '../embedder.ts'
import { serve as serveTidemark } from '../tidemark.ts'
import { openVectors } from '../vectors/open.ts'
import { Life } from './life.ts'

export interface ServeOptions {
  readonly name: string
  readonly postgres: string
  readonly redis: string
  readonly vectors: string
  readonly port: number
  readonly dashboardPort: number
  readonly readers: number
  readonly below: number
  readonly checkEveryMs: number
  readonly lateAfterMs: number
}

export async function serve(options: ServeOptions): Promise<void> {
  const life = new Life()
  await using db = await openDatabase({ ...options, writer: options.name })
  life.follow(db)
  const vectors = await openVectors(options.vectors, hashing.dimensions)
  await using api = await startApi({
    ...options,
    db,
    vectors,
    onAlert: ({ name, message, repair }) => console.log(`alert ${name}: ${message}; repair: ${repair}`),
    onOver: (name) => console.log(`over ${name}`),
  })
  const { lateAfterMs, checkEveryMs: everyMs } = options
  const effects = { lateAfterMs, orphanedAfterMs: lateAfterMs, everyMs }
  const dashboard = await serveTidemark({ db, port: options.dashboardPort, effects })
  console.log(`dashboard ${dashboard.url}`)
  console.log(`api ${api.url}`)
  await life.over()
  await dashboard.close({ drainMs: 1_000 })
  await vectors.close()
}
