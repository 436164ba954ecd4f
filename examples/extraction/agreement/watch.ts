/**
 * Looks now and then whether the stores agree, a page at a time, and raises a named alert once when something begins.
 *
 *   in order ──found in two looks at both stores──▶ in trouble, told once ──no longer──▶ in order
 */
import type { LlmQueue } from '../llm/queue.ts'
import type { EffectsWatch } from '../tidemark.ts'
import { withoutRow, withoutVector, withOldListing, waitingRows, type Stores } from './compare.ts'

export type AlertName =
  | 'rowsWithoutVectors'
  | 'vectorsWithoutRows'
  | 'cacheOlderThanRow'
  | 'queueNotMoving'
  | 'deadLetters'
  | 'storeDown'

export interface Alert {
  readonly name: AlertName
  readonly message: string
  /** The first few of those that it is about. */
  readonly keys: readonly string[]
  /** Projects to be recovered; empty where that is not the repair. */
  readonly projects: readonly number[]
  readonly sinceMs: number
  /** What to do. */
  readonly repair: string
}

export interface WatchOptions {
  readonly everyMs: number
  /** So long the oldest of a queue may wait. */
  readonly lateAfterMs: number
  readonly onAlert: (alert: Alert) => void
  readonly onOver: (name: AlertName) => void
}

type Found = Omit<Alert, 'sinceMs'>

const pageSize = 500
const mostKept = 1_000
const shownKeys = 20
const recoverHint = 'POST /projects/{project_id}/extractions/recover?dryRun=false'

export class Agreement {
  readonly #stores: Stores
  readonly #llm: LlmQueue
  readonly #effects: EffectsWatch
  readonly #options: WatchOptions
  readonly #since = new Map<AlertName, number>()
  /** What was found is looked at again until it is in order. */
  #lacking: readonly string[] = []
  /** With their projects. */
  #orphans: ReadonlyMap<string, number> = new Map()
  #rowsAfter = ''
  #vectorsAfter: string | undefined
  #projectsAfter = 0
  #alerts: readonly Alert[] = []
  #lookedMs: number | undefined
  #look: Promise<readonly Alert[]> | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(stores: Stores, llm: LlmQueue, options: WatchOptions) {
    this.#stores = stores
    this.#llm = llm
    this.#options = options
    const { lateAfterMs, everyMs } = options
    this.#effects = stores.db.effects.watch({ lateAfterMs, orphanedAfterMs: lateAfterMs, everyMs })
    this.#goOn()
  }

  get alerts(): readonly Alert[] {
    return this.#alerts
  }

  /** When it was last looked, in ms since 1970. */
  get lookedMs(): number | undefined {
    return this.#lookedMs
  }

  /** Looks now, or waits for the look that is under way. */
  look(): Promise<readonly Alert[]> {
    return (this.#look ??= this.#lookNow().finally(() => (this.#look = undefined)))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#effects.stop()
    await this.#look?.catch(() => undefined)
  }

  #goOn(): void {
    const rest = (): void => {
      if (!this.#isStopped) this.#timer = setTimeout(next, this.#options.everyMs)
    }
    const next = (): void => void this.look().then(rest, rest)
    next()
  }

  async #lookNow(): Promise<readonly Alert[]> {
    const found: Found[] = []
    const down = new Set<string>()
    for (const [store, check] of [
      ['PostgreSQL', () => this.#rowsThatWait()],
      ['the vector store', () => this.#vectorsAndRows()],
      ['Redis', () => this.#listings()],
      ['PostgreSQL', () => this.#queues()],
      ['Redis', () => this.#requests()],
    ] as const) {
      try {
        found.push(...(await check()))
      } catch (error) {
        // Which of the two that a check looks at is gone, its message says.
        down.add(`${store}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    if (down.size > 0)
      found.push({
        name: 'storeDown',
        message: `a store cannot be looked at: ${[...down].join('; ')}`,
        keys: [],
        projects: [],
        repair: 'start it; what waits for it follows by itself',
      })
    this.#publish(merged(found))
    return this.#alerts
  }

  #publish(found: readonly Found[]): void {
    const nowMs = Date.now()
    const before = new Set(this.#since.keys())
    for (const name of before) {
      if (found.some((one) => one.name === name)) continue
      this.#since.delete(name)
      if (!this.#isStopped) this.#options.onOver(name)
    }
    this.#alerts = found.map((one) => {
      const sinceMs = this.#since.get(one.name) ?? nowMs
      this.#since.set(one.name, sinceMs)
      return { ...one, sinceMs }
    })
    this.#lookedMs = nowMs
    for (const alert of this.#alerts)
      if (!before.has(alert.name) && !this.#isStopped) this.#options.onAlert(alert)
  }

  /** Rows that wait for work that nobody will do. */
  async #rowsThatWait(): Promise<Found[]> {
    const { db } = this.#stores
    const found: Found[] = []
    for (const kind of ['scrape', 'embed', 'llm'] as const) {
      const { missing } = await db.effects.recover(kind, { missing: waitingRows(kind, undefined, pageSize) })
      if (missing.length === 0) continue
      const projects = await this.#projectsOf(kind === 'scrape' ? 'sources' : 'extractions', missing)
      const name = kind === 'embed' ? 'rowsWithoutVectors' : 'queueNotMoving'
      found.push(about(name, `rows wait for "${kind}", and nothing is enqueued for them`, missing, projects))
    }
    return found
  }

  async #vectorsAndRows(): Promise<Found[]> {
    const { db, vectors } = this.#stores
    const rows = await db
      .read('strong')
      .selectFrom('extractions')
      .select('id')
      .where('id', '>', this.#rowsAfter)
      .orderBy('id')
      .limit(pageSize)
      .execute()
    this.#rowsAfter = rows.length < pageSize ? '' : (rows.at(-1)?.id ?? '')
    this.#lacking = await withoutVector(
      this.#stores,
      together(
        this.#lacking,
        rows.map(({ id }) => id),
      ),
    )

    const page = await vectors.list(this.#vectorsAfter, pageSize)
    this.#vectorsAfter = page.next
    const looked = new Map([
      ...[...this.#orphans].slice(0, mostKept),
      ...page.vectors.map(({ id, project }) => [id, project] as const),
    ])
    const orphans = await withoutRow(this.#stores, [...looked.keys()])
    this.#orphans = new Map(orphans.map((id) => [id, looked.get(id) ?? 0]))

    const found: Found[] = []
    if (this.#lacking.length > 0) {
      const projects = await this.#projectsOf('extractions', this.#lacking)
      found.push(
        about(
          'rowsWithoutVectors',
          'rows say that they have a vector, and have none',
          this.#lacking,
          projects,
        ),
      )
    }
    if (orphans.length > 0)
      found.push(
        about('vectorsWithoutRows', 'vectors have no row', orphans, [...new Set(this.#orphans.values())]),
      )
    return found
  }

  async #listings(): Promise<Found[]> {
    const rows = await this.#stores.db
      .read('eventual')
      .selectFrom('projects')
      .select('id')
      .where('id', '>', this.#projectsAfter)
      .orderBy('id')
      .limit(pageSize / 10)
      .execute()
    this.#projectsAfter = rows.length < pageSize / 10 ? 0 : (rows.at(-1)?.id ?? 0)
    const old = await withOldListing(
      this.#stores,
      rows.map(({ id }) => id),
    )
    if (old.length === 0) return []
    return [
      about('cacheOlderThanRow', 'listings in the cache are not what the rows say', old.map(String), old),
    ]
  }

  async #queues(): Promise<Found[]> {
    const { troubles } = await this.#effects.look()
    return troubles.map(({ kind, message, effects }) =>
      kind === 'deadEffects'
        ? {
            name: 'deadLetters',
            message,
            keys: [effects],
            projects: [],
            repair: 'GET /dead-letters tells why; then POST /dead-letters/redrive',
          }
        : {
            name: 'queueNotMoving',
            message,
            keys: [effects],
            projects: [],
            repair: `start a worker, or what "${effects}" needs; what waits follows by itself`,
          },
    )
  }

  async #requests(): Promise<Found[]> {
    const oldestMs = await this.#llm.oldestMs()
    if (oldestMs < this.#options.lateAfterMs) return []
    return [
      {
        name: 'queueNotMoving',
        message: `requests wait in Redis for a worker of the LLM, the oldest for ${Math.round(oldestMs / 1_000)} s`,
        keys: ['llm:requests'],
        projects: [],
        repair: 'start `llm`',
      },
    ]
  }

  async #projectsOf(table: 'sources' | 'extractions', ids: readonly string[]): Promise<number[]> {
    const rows = await this.#stores.db
      .read('eventual')
      .selectFrom(table)
      .select('project')
      .distinct()
      .where('id', 'in', ids)
      .execute()
    return rows.map(({ project }) => project)
  }
}

function about(name: AlertName, what: string, keys: readonly string[], projects: readonly number[]): Found {
  return {
    name,
    message: `${keys.length} found: ${what}`,
    keys: keys.slice(0, shownKeys),
    projects,
    repair: recoverHint,
  }
}

function together(found: readonly string[], page: readonly string[]): string[] {
  return [...new Set([...found.slice(0, mostKept), ...page])]
}

/** One of a name. */
function merged(found: readonly Found[]): Found[] {
  return [...Map.groupBy(found, ({ name }) => name)].map(([name, all]) => ({
    name,
    message: all.map(({ message }) => message).join('; '),
    keys: all.flatMap(({ keys }) => keys).slice(0, shownKeys),
    projects: [...new Set(all.flatMap(({ projects }) => projects))],
    repair: [...new Set(all.map(({ repair }) => repair))].join('; '),
  }))
}
