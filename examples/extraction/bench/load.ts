/**
 * `npm run extraction -- load`: clients that each submit a document and ask for it with `strong` until the answer has it, then the
 * next one. Twice as many each time, until more of them do no more; with the connections for reads that the API has then.
 */
import { ApiClient } from '../client.ts'
import { madeDocument } from '../made.ts'
import { patiently } from '../programs/ask.ts'
import { median } from './median.ts'
import { readersIn, type Readers } from './metrics.ts'
import { Rig } from './rig.ts'

export interface LoadOptions {
  readonly workers: number
  readonly stepMs: number
  readonly mostClients: number
  /** Connections for reads of each process, at most. */
  readonly readers: number
  readonly latencyMs: number
}

export interface Step {
  readonly clients: number
  /** Documents that were found, a second. */
  readonly perSecond: number
  readonly medianMs: number
  readonly readers: Readers
}

/** What twice as many clients must bring. */
const leastGrowth = 1.1
/** So many steps in a row must not bring it: one may be chance. */
const withoutGrowth = 2

/** @returns the first step after which throughput grew no more; undefined: it still grows */
export function kneeOf(steps: readonly Step[]): Step | undefined {
  return steps
    .slice(0, -withoutGrowth)
    .find(({ perSecond }, at) =>
      steps.slice(at + 1, at + 1 + withoutGrowth).every((later) => later.perSecond < leastGrowth * perSecond),
    )
}

export async function load(options: LoadOptions): Promise<void> {
  await using rig = await Rig.start()
  await using round = await rig.round()
  const site = await round.start('site').said('site')
  await round.startLlm({ latencyMs: options.latencyMs, parallel: 64 })
  const reach = [...round.reach, '--readers', options.readers]
  const api = round.start('serve', ...reach, '--below', 1_000_000, '--check-every-ms', 60_000)
  await round.startWorkers(options.workers, rig.folder, options.readers)
  const client = new ApiClient(await api.said('api'))
  const dashboard = await api.said('dashboard')
  const project = await client.createProject('load')
  let next = 0
  const steps: Step[] = []
  console.log(
    `clients that submit and search with strong; ${options.workers} workers, an LLM of ${options.latencyMs} ms, at most ${options.readers} connections for reads a process`,
  )
  await runStep(1)
  for (let clients = 1; clients <= options.mostClients; clients *= 2) {
    const took = await runStep(clients)
    const perSecond = (took.length * 1_000) / options.stepMs
    const step = { clients, perSecond, medianMs: median(took), readers: await readersIn(dashboard) }
    steps.push(step)
    console.log(textOf(step))
    const knee = kneeOf(steps)
    if (knee === undefined) continue
    console.log(`it stops growing at ${knee.clients} clients: ${textOf(knee)}`)
    return
  }
  console.log(`it still grows at ${options.mostClients} clients: --most-clients`)

  /** @returns how long each took from its submission until it was found, of those that were within the time */
  async function runStep(clients: number): Promise<number[]> {
    const took: number[] = []
    const endMs = performance.now() + options.stepMs
    const run = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const n = next++
        const sinceMs = performance.now()
        const submitted = await patiently(() => client.submit(project, [`${site}/made/1/${n}.md`]))
        const id = submitted.sources[0]?.id ?? ''
        const { title, own } = madeDocument(1, n)
        const query = {
          consistency: 'strong',
          after: submitted.bookmark,
          sources: id,
          timeoutMs: 60_000,
        } as const
        const { hits } = await client.search(project, `${title} ${own}`, query)
        if (!hits.some((hit) => hit.id === id))
          throw new Error(`document ${n} was not found by a strong search`)
        if (performance.now() < endMs) took.push(performance.now() - sinceMs)
      }
    }
    await Promise.all(Array.from({ length: clients }, run))
    return took
  }
}

function textOf({ clients, perSecond, medianMs, readers }: Step): string {
  const { open, limit, max, waits } = readers
  return `${String(clients).padStart(4)} clients: ${perSecond.toFixed(1)} documents/s, ${medianMs.toFixed(0)} ms each (median); connections for reads of the API: ${open} open, ${limit} allowed, at most ${max}; reads that found none free so far: ${waits}`
}
