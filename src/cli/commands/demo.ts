/** `tidemark demo`: the whole way on made-up logs, in a temporary folder. */
import { createWriteStream } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Generated } from 'kysely'
import { sqlite } from '../../stores/sqlite/index.ts'
import { open } from '../../tidemark.ts'
import { databaseOf } from '../database.ts'
import { ingest } from './ingest.ts'
import { query } from './query.ts'

interface Tables {
  logs: {
    id: Generated<number>
    ts: number
    level: string
    service: string | null
    message: string
    attributes: string | null
  }
}

const services = ['checkout', 'search', 'catalog', 'accounts', 'mailer']
const startMs = Date.UTC(2026, 0, 1)

export async function demo(lineCount = 200_000): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-demo-'))
  const file = join(folder, 'app.log')
  const database = join(folder, 'app.db')
  say(`1. ${lineCount.toLocaleString('en-US')} log lines, made up in ${file}`)
  await pipeline(Readable.from(linesOf(lineCount)), createWriteStream(file))

  say('\n2. Ingest them: npx tidemark ingest app.log')
  const exitCode = await ingest([file], {
    database: databaseOf(database),
    machine: undefined,
    table: undefined,
    format: 'auto',
  })
  if (exitCode !== 0) return exitCode

  const sql =
    "select service, count(*) as errors from logs where level = 'error' group by service order by errors desc"
  say(`\n3. Ask: npx tidemark query "${sql}"`)
  await query(sql, { database: databaseOf(database), format: 'table' })

  say('4. Write one more row and read it back at each level')
  await readAtEachLevel(database)

  say('\nNext:')
  say(`  npx tidemark ingest ${file} --db ${database}   (again: no line is written twice)`)
  say(`  npx tidemark search upstream --level error --limit 5 --db ${database}`)
  say(`  npx tidemark serve --db ${database}   (and open the page that it names)`)
  say(`  npx tidemark ingest YOUR.log --db ${database}`)
  say(`\nAll of this is in ${folder}; delete it when you like.`)
  return 0
}

async function readAtEachLevel(database: string): Promise<void> {
  await using db = await open<Tables>(sqlite(database))
  // The first read starts a thread; the next two are what is shown.
  await db.read().selectFrom('logs').select('id').limit(1).execute()
  const message = 'written a moment ago'
  const receipt = db.insert('logs', {
    ts: startMs,
    level: 'info',
    service: 'demo',
    message,
    attributes: null,
  })
  say(`   accepted at position ${receipt.position.seq}, ${receipt.state}`)
  for (const level of ['eventual', 'strong'] as const) {
    const startedMs = performance.now()
    const newest = await db
      .read(level)
      .selectFrom('logs')
      .select('message')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    const seen = newest?.message === message ? 'sees it' : 'does not see it yet'
    say(
      `   ${level.padEnd(8)} read ${seen}, after ${(performance.now() - startedMs).toFixed(1)} ms (${receipt.state})`,
    )
  }
}

/** In pieces of many lines: a stream of single lines would take longer to make than to ingest. */
function* linesOf(lineCount: number): Generator<string> {
  for (let first = 0; first < lineCount; first += 1_000) {
    let piece = ''
    for (let index = first; index < Math.min(first + 1_000, lineCount); index++) piece += lineAt(index)
    yield piece
  }
}

/** Always the same lines, so that the demo always shows the same figures. */
function lineAt(index: number): string {
  const mixed = (index * 2_654_435_761) % 4_294_967_296
  const level = mixed % 50 === 0 ? 'error' : mixed % 11 === 0 ? 'warn' : 'info'
  const service = services[(mixed >>> 8) % services.length]
  const ms = mixed % 900
  const time = new Date(startMs + index * 250).toISOString()
  const message =
    level === 'error'
      ? `upstream answered 503 after ${ms} ms`
      : `GET /api/items/${mixed % 10_000} 200 in ${ms} ms`
  return `${JSON.stringify({ time, level, service, msg: message, request: mixed.toString(36), ms })}\n`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
