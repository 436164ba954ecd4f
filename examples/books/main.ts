/** `npm run books`: whole books through the stages of a pipeline whose memory is the truth while a job runs. */
import { existsSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { killRounds } from './kill.ts'
import { everyBook, findBooks, readBook, type Source } from './library.ts'
import { barOf, eventLines } from './progress.ts'
import { ms, spreadOf } from './report/statistics.ts'
import { openDatabase, run, type Mode } from './run.ts'
import { statusOf } from './status.ts'

const usage = `npm run books                              both ways side by side, on eight books
npm run books -- compare [BOOK or FILE …]  the same on those; --all, --at-once 1, --delay-ms 20, --chart FILE.svg
npm run books -- run [BOOK or FILE …]      one run, on --database FILE; goes on where an earlier one was stopped
        --mode memory-first|blocking, --at-once 8, --delay-ms 0, --port N (status over HTTP, until Ctrl-C), --events, --json FILE
npm run books -- status BOOK --database FILE
npm run books -- kill [BOOK or FILE …]     kills runs with -9; --rounds 5, --seed 1, --mode, --delay-ms
npm run books -- draw BOOK                 its first pages as pictures, for "run FOLDER"; --pages 3, --folder pages
npm run books -- list                      the books there are`

/** Of each kind one: numbered chapters, volumes, books of verse, acts, stories, front and back matter. */
const usual = [
  'carroll-alice',
  'chesterton-thursday',
  'austen-emma',
  'melville-moby_dick',
  'milton-paradise',
  'shakespeare-macbeth',
  'edgeworth-parents',
  'bryant-stories',
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'at-once': { type: 'string' },
    all: { type: 'boolean', default: false },
    chart: { type: 'string', default: 'books.svg' },
    database: { type: 'string', default: 'books.db' },
    'delay-ms': { type: 'string' },
    folder: { type: 'string', default: 'pages' },
    events: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    json: { type: 'string' },
    mode: { type: 'string', default: 'memory-first' },
    pages: { type: 'string' },
    port: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
})
const [command = 'compare', ...names] = positionals

try {
  if (values.help) console.log(usage)
  else process.exitCode = (await commandOf(command)()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function commandOf(name: string): () => Promise<boolean> {
  switch (name) {
    case 'compare':
      return () =>
        compare({
          sources: chosen(),
          atOnce: number('at-once', 1),
          delayMs: number('delay-ms', 20),
          chart: values.chart,
        })
    case 'run':
      return runOnce
    case 'status':
      return showStatus
    case 'kill':
      return () =>
        killRounds({
          sources: chosen(),
          atOnce: number('at-once', 8),
          mode: modeOf(values.mode),
          delayMs: number('delay-ms', 0),
          rounds: number('rounds', 5),
          seed: number('seed', 1),
        })
    case 'draw':
      return draw
    case 'list':
      return () => {
        for (const { id } of everyBook()) console.log(id)
        return Promise.resolve(true)
      }
    default:
      throw new Error(`No command "${name}".\n${usage}`)
  }
}

async function runOnce(): Promise<boolean> {
  const sources = chosen()
  const progress = values.events ? eventLines : barOf(sources.length, process.stderr)
  const port = values.port === undefined ? undefined : number('port', 0)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const result = await run(
    {
      mode: modeOf(values.mode),
      database: values.database,
      sources,
      atOnce: number('at-once', 8),
      delayMs: number('delay-ms', 0),
      port,
      onMoment: (moment) => progress.show(moment),
      onListening: (listening) => console.log(`status http://127.0.0.1:${listening}/books/${sources[0]?.id}`),
    },
    async () => {
      progress.end()
      if (port === undefined || stop.signal.aborted) return
      console.log('finished: status is served until Ctrl-C')
      await once(stop.signal, 'abort')
    },
  )
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(result))
  const { p50, max } = spreadOf(result.latencies.map((latency) => latency.ms))
  console.log(
    `${result.books} ${result.books === 1 ? 'book' : 'books'} in ${ms(result.totalMs)}; stage to stage ${ms(p50)} (median), ${ms(max)} (longest); ${result.awaitedWrites} writes awaited, ${result.operations} made in ${result.transactions} commits`,
  )
  console.log(`result ${result.hash}`)
  return true
}

async function showStatus(): Promise<boolean> {
  const [id] = names
  if (id === undefined) throw new Error(`Which book?\n${usage}`)
  if (!existsSync(values.database)) throw new Error(`There is no database ${values.database}.`)
  const db = await openDatabase(values.database, 0, `status-${process.pid}`)
  try {
    const status = await statusOf(db, id)
    console.log(
      status === undefined ? `No book "${id}" in ${values.database}.` : JSON.stringify(status, undefined, 2),
    )
    return status !== undefined
  } finally {
    await db.close()
  }
}

async function draw(): Promise<boolean> {
  const [source] = chosen()
  if (source === undefined) throw new Error(`Which book?\n${usage}`)
  const { drawPages } = await import('./ocr/draw.ts')
  const pictures = await drawPages(readBook(source.file), values.folder, number('pages', 3))
  console.log(`${pictures.length} pages in ${values.folder}`)
  return true
}

function chosen(): readonly Source[] {
  if (values.all) return everyBook()
  return findBooks(names.length > 0 ? names : usual)
}

function modeOf(name: string): Mode {
  if (name === 'memory-first' || name === 'blocking') return name
  throw new Error(`--mode is memory-first or blocking, not "${name}".`)
}

function number(
  name: 'at-once' | 'delay-ms' | 'pages' | 'port' | 'rounds' | 'seed',
  fallback: number,
): number {
  const value = Number(values[name] ?? fallback)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${name} is a whole number, not "${values[name]}".`)
}
