/** `npm run extraction`: documents into three stores that stay in step. Each command is a process of its own. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { enableCompileCache } from 'node:module'
import path from 'node:path'
import { isInstalled } from './installed.ts'

// To compile is most of what it takes to start a part again.
enableCompileCache()

const program = new Command('npm run extraction --')
  .description('Documents into PostgreSQL, Redis and a vector store that stay in step, whatever dies.')
  .showHelpAfterError()

const stateOption = (): Option =>
  new Option('--state <folder>', 'where the parts are written down').default('.extraction')
const apiOption = (): Option =>
  new Option('--api <url>', 'of the API (default: as `up` wrote it into --state)')
const port = (text: string): number => whole(text, 65_535)
const count = (text: string): number => whole(text, 2 ** 31 - 1)
const counts = (text: string): number[] => text.split(',').map(count)

/** What serves and workers need of the rest. */
function reaching(command: Command): Command {
  return command
    .requiredOption('--postgres <url>', 'the database')
    .requiredOption('--redis <url>', 'cache, and requests to the LLM')
    .requiredOption('--vectors <url>', 'the process `vectors`; QDRANT_URL takes its place')
    .option('--readers <n>', 'connections for reads, at most', count, 8)
}

/** The same with sequential writes, for the comparison. */
function ofNaive(name: string): Command {
  return program
    .command(name, { hidden: true })
    .requiredOption('--postgres <url>', 'the database')
    .requiredOption('--redis <url>', 'cache, and requests to the LLM')
    .requiredOption('--vectors <url>', 'the process `vectors`')
}

function ofModel(command: Command): Command {
  return command
    .option('--latency-ms <n>', 'how long a call takes', count, 200)
    .option('--parallel <n>', 'calls at once; more are refused', count, 8)
    .option('--per-second <n>', 'calls begun in a second; more are refused', count, 1_000)
    .option('--failure-share <n>', 'of calls, from 0 to 1', share, 0)
    .option('--outage', 'no call is taken', false)
}

function ofServe(command: Command): Command {
  return command
    .option(
      '--below <n>',
      'effects of one kind that may be unfinished before submissions are held back',
      count,
      5_000,
    )
    .option('--check-every-ms <n>', 'how often it is looked whether the stores agree', count, 5_000)
    .option('--late-after-ms <n>', 'how long the oldest of a queue may wait', count, 60_000)
}

ofModel(ofServe(program.command('up')))
  .description('starts all parts, and what they need, until Ctrl-C')
  .option('--postgres <url>', 'a database that is there (default: a server of its own, thrown away)')
  .option('--redis <url>', 'a Redis that is there (default: a server of its own, thrown away)')
  .option('--folder <folder>', 'documents that are named by their path', 'docs')
  .option('--workers <n>', 'how many', count, 2)
  .option('--port <n>', 'of the API (default: any)', port, 0)
  .option('--dashboard-port <n>', 'of the dashboard (default: any)', port, 0)
  .addOption(stateOption())
  .action(async (options: Up) => {
    const { up } = await import('./programs/up.ts')
    await up({
      ...options,
      folder: path.resolve(options.folder),
      state: path.resolve(options.state),
      serve: flags(options, ['below', 'checkEveryMs', 'lateAfterMs']),
      llm: flags(options, ['latencyMs', 'parallel', 'perSecond', 'failureShare', 'outage']),
    })
  })

ofServe(reaching(program.command('serve')))
  .description('the API, what watches over agreement, and the dashboard')
  .option('--name <name>', 'of the writer: its successor has the same', 'api')
  .option('--port <n>', 'of the API', port, 0)
  .option('--dashboard-port <n>', 'of the dashboard', port, 0)
  .action(async (options) => {
    const { serve } = await import('./programs/serve.ts')
    await serve(options)
  })

reaching(program.command('worker'))
  .description('reads, extracts, embeds, asks the LLM, invalidates')
  .option('--name <name>', 'of the writer: its successor has the same', 'worker-1')
  .option('--folder <folder>', 'documents that are named by their path', 'docs')
  .option('--lanes <n>', 'so many workers can share a kind; fixed when it is first handled', count, 4)
  .option('--reply-ms <n>', 'how long the LLM may take for a reply', count, 10_000)
  .action(async (options) => {
    const { work } = await import('./programs/work.ts')
    await work(options)
  })

ofModel(program.command('llm'))
  .description('answers requests to the LLM')
  .requiredOption('--redis <url>', 'where the requests are')
  .option('--name <name>', 'its successor has the same', 'llm-1')
  .action(async ({ redis, name, outage, ...settings }) => {
    const { answerRequests } = await import('./programs/work.ts')
    await answerRequests(redis, name, { ...settings, isOut: outage })
  })

program
  .command('vectors')
  .description('owns the file of vectors')
  .addOption(stateOption())
  .option('--port <n>', 'on the loopback', port, 0)
  .action(async (options: { state: string; port: number }) => {
    const { ownVectors } = await import('./programs/work.ts')
    await ownVectors(options.state, options.port)
  })

program
  .command('site')
  .description('a site on the loopback: the documents of a folder, and made ones (/made/SEED/N.html)')
  .option('--folder <folder>', 'its documents')
  .option('--port <n>', 'on the loopback', port, 0)
  .action(async (options: { folder?: string; port: number }) => {
    const { showSite } = await import('./programs/work.ts')
    await showSite(options.folder, options.port)
  })

program
  .command('kill')
  .description('kills everything with -9, round after round, and looks whether the stores agree')
  .option('--rounds <n>', 'of kills', count, 200)
  .option('--seed <n>', 'of documents and kills (default: any)', (text) => whole(text, 999_999))
  .addOption(
    new Option('--way <way>', 'that of this example, or that of sequential writes')
      .choices(['tidemark', 'naive', 'both'])
      .default('tidemark'),
  )
  .action(
    async ({ rounds, seed, way }: { rounds: number; seed?: number; way: 'tidemark' | 'naive' | 'both' }) => {
      const { kill } = await import('./kill/report.ts')
      const ways = way === 'both' ? (['tidemark', 'naive'] as const) : [way]
      const isInOrder = await kill({ ways, rounds, seed: seed ?? Math.floor(Math.random() * 1_000_000) })
      if (!isInOrder) process.exitCode = 1
    },
  )

ofNaive('naive-serve')
  .option('--port <n>', 'of the API', port, 0)
  .action(async (options) => {
    const { serveNaively } = await import('./naive/serve.ts')
    await serveNaively(options)
  })

ofNaive('naive-worker')
  .option('--name <name>', 'of the worker', 'worker-1')
  .option('--reply-ms <n>', 'how long the LLM may take for a reply', count, 10_000)
  .option('--stale-ms <n>', 'a job that was taken so long ago is taken for abandoned', count, 60_000)
  .action(async (options) => {
    const { workNaively } = await import('./naive/worker.ts')
    await workNaively(options)
  })

asking('submit', 'submits these sources, or all documents of --folder')
  .argument('[uris...]')
  .option('--folder <folder>', 'that of the workers', 'docs')
  .option('--project <id>', 'to this project (default: a new one)', count)
  .action(async (uris: string[], options: Asking & { folder: string; project?: number }) => {
    const { submit } = await import('./programs/ask.ts')
    await submit(await client(options), { folder: options.folder, project: options.project, uris })
  })

asking('search', 'extractions near to these words')
  .argument('<words...>')
  .option('--project <id>', 'in this project (default: the newest)', count)
  .addOption(
    new Option('--consistency <level>').choices(['eventual', 'readAfterWrite', 'strong']).default('eventual'),
  )
  .action(
    async (
      words: string[],
      options: Asking & { project?: number; consistency: 'eventual' | 'readAfterWrite' | 'strong' },
    ) => {
      const { search } = await import('./programs/ask.ts')
      const api = await client(options)
      await search(api, options.project ?? (await api.newestProject()), words.join(' '), options.consistency)
    },
  )

asking('status', 'how far a source is, and how long each step took')
  .argument('<source>', 'its id')
  .action(async (source: string, options: Asking) => {
    console.log(JSON.stringify(await (await client(options)).status(source), undefined, 2))
  })

asking('health', 'whether the stores agree').action(async (options: Asking) => {
  console.log(JSON.stringify(await (await client(options)).health(), undefined, 2))
})

asking('recover', 'tells what is missing in each store')
  .option('--project <id>', 'in this project (default: the newest)', count)
  .option('--apply', 'and has it mended', false)
  .action(async ({ project, apply, ...options }: Asking & { project?: number; apply: boolean }) => {
    const api = await client(options)
    console.log(
      JSON.stringify(await api.recover(project ?? (await api.newestProject()), !apply), undefined, 2),
    )
  })

asking('strong', 'submits a document and searches for it at once, over and over')
  .option('--tries <n>', 'how often', count, 1_000)
  .option('--seed <n>', 'of the documents', count, 1)
  .option('--site <url>', 'of the process `site` (default: as `up` wrote it into --state)')
  .action(
    async ({ tries, seed, site, ...options }: Asking & { tries: number; seed: number; site?: string }) => {
      const { strongText, strongTries } = await import('./programs/strong.ts')
      const { placeIn } = await import('./place.ts')
      const tally = await strongTries(await client(options), {
        site: site ?? placeIn(options.state).site,
        tries,
        seed,
      })
      console.log(strongText(tally))
      if (tally.found !== tally.tries) process.exitCode = 1
    },
  )

program
  .command('bench')
  .description('documents a second, beside the usual way: one step, one row, one commit after the other')
  .option('--documents <n>', 'how many, in each round', count, 2_000)
  .option('--rounds <n>', 'of each, by turns', count, 3)
  .option('--warm-up <n>', 'documents that go before in each round, and do not count', count, 200)
  .option('--workers <n>', 'processes that share the work; 0: that which submits', count, 2)
  .option('--latency-ms <list>', 'of the LLM, each by itself', counts, [0, 20])
  .action(
    async (options: {
      documents: number
      rounds: number
      warmUp: number
      workers: number
      latencyMs: number[]
    }) => {
      const { bench } = await import('./bench/run.ts')
      await bench({ ...options, latenciesMs: options.latencyMs })
    },
  )

program
  .command('limits')
  .description(
    'an LLM that takes so many calls at once, changes that, fails some and is out: who asks adapts',
  )
  .option('--parallel <list>', 'calls that it takes at once, one number after the other', counts, [8, 3, 8])
  .option('--phase-ms <n>', 'how long each', count, 20_000)
  .option('--latency-ms <n>', 'how long a call takes', count, 200)
  .option('--failure-share <n>', 'of calls, from 0 to 1', share, 0.05)
  .option('--outage-ms <n>', 'how long it is out', count, 60_000)
  .action(async (options: import('./bench/limits.ts').LimitsOptions) => {
    const { limits } = await import('./bench/limits.ts')
    if (!(await limits(options))) process.exitCode = 1
  })

program
  .command('load')
  .description('twice as many clients each time, until throughput stops growing')
  .option('--workers <n>', 'how many', count, 2)
  .option('--step-ms <n>', 'how long each number of clients', count, 10_000)
  .option('--most-clients <n>', 'where to end', count, 512)
  .option('--readers <n>', 'connections for reads of each process, at most', count, 8)
  .option('--latency-ms <n>', 'of the LLM', count, 20)
  .action(async (options: import('./bench/load.ts').LoadOptions) => {
    const { load } = await import('./bench/load.ts')
    await load(options)
  })

interface Asking {
  readonly api?: string
  readonly state: string
}

interface Up {
  readonly [name: string]: unknown
  readonly postgres: string | undefined
  readonly redis: string | undefined
  readonly folder: string
  readonly state: string
  readonly workers: number
  readonly port: number
  readonly dashboardPort: number
}

function asking(name: string, description: string): Command {
  return program.command(name).description(description).addOption(apiOption()).addOption(stateOption())
}

async function client({ api, state }: Asking): Promise<import('./client.ts').ApiClient> {
  const { ApiClient } = await import('./client.ts')
  const { placeIn } = await import('./place.ts')
  return new ApiClient(api ?? placeIn(state).api)
}

/** The options of these names as a part is given them. */
function flags(options: Up, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = options[name]
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return typeof value === 'boolean' ? (value ? [flag] : []) : [flag, String(value)]
  })
}

function whole(text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= most) return value
  throw new InvalidArgumentError(`It must be a whole number up to ${most}.`)
}

function share(text: string): number {
  const value = Number(text)
  if (text !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

if (isInstalled()) {
  try {
    await program.parseAsync()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
