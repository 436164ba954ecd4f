/** `npm run music`: imports a folder of audio files into one SQLite database, with many workers at once. */
import { rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ImportProcess, parentProcess } from './import/process.ts'
import type { ImportResult, Mode } from './import/result.ts'
import { runImport, type Watcher } from './import/run.ts'
import { isInstalled } from './installed.ts'
import { showProgress } from './report/progress.ts'
import { report } from './report/report.ts'

const usage = `Usage: npm run music -- FOLDER [--database FILE] [--mode M] [--workers N] [--linger-ms N] [--fresh] [--json FILE]

  --database FILE  is made where it is missing (music.db)
  --mode M         tidemark: a file is a group, groups share commits (the default)
                   baseline: every statement commits by itself, every worker has a connection of its own
                   both: one after the other, each into its own file (music.tidemark.db, music.baseline.db)
  --workers N      threads that read files (16)
  --linger-ms N    with tidemark: how long a file may wait for others to share its commit (2000)
  --fresh          removes the database first
  --json FILE      writes the numbers there as well`

const { values, positionals } = parseArgs({
  options: {
    database: { type: 'string', default: 'music.db' },
    mode: { type: 'string', default: 'tidemark' },
    workers: { type: 'string', default: '16' },
    'linger-ms': { type: 'string', default: '2000' },
    fresh: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const [folder] = positionals
const problem = problemWith(folder)
if (values.help) console.log(usage)
else if (folder === undefined || problem !== undefined) {
  console.error(`${problem ?? 'Which folder?'}\n\n${usage}`)
  process.exitCode = 2
} else if (isInstalled()) {
  try {
    await run(folder)
  } catch (error) {
    // What the database or the disk says is for the user; anything else is a fault of the example.
    console.error(error instanceof Error && 'code' in error ? error.message : error)
    // Workers may still be reading.
    process.exit(1)
  }
}

async function run(from: string): Promise<void> {
  if (values.mode === 'both')
    return tell([await importElsewhere('tidemark'), await importElsewhere('baseline')])
  const parent = parentProcess()
  const result = await importHere(from, values.mode === 'baseline' ? 'baseline' : 'tidemark', parent)
  if (parent) parent.ends(result)
  else tell([result])
}

function problemWith(given: string | undefined): string | undefined {
  if (given === undefined) return undefined
  if (!statSync(given, { throwIfNoEntry: false })?.isDirectory()) return `"${given}" is no folder.`
  if (!['tidemark', 'baseline', 'both'].includes(values.mode)) return `There is no mode "${values.mode}".`
  if (!(Number(values.workers) >= 1)) return '--workers must be a number of at least 1.'
  if (!(Number(values['linger-ms']) >= 0)) return '--linger-ms must be a number of at least 0.'
  return undefined
}

async function importHere(from: string, mode: Mode, parent: Watcher | undefined): Promise<ImportResult> {
  const { database, fresh, workers } = values
  if (fresh) for (const ending of ['', '-wal', '-shm']) rmSync(database + ending, { force: true })
  const lingerMs = Number(values['linger-ms'])
  const options = { folder: from, database, mode, workers: Number(workers), lingerMs }
  return parent ? await runImport(options, parent) : await watched(mode, (bar) => runImport(options, bar))
}

/** In a process of its own: neither finds memory, threads or a file that the other has used. */
async function importElsewhere(mode: Mode): Promise<ImportResult> {
  const { dir, name, ext } = path.parse(values.database)
  const database = path.join(dir, `${name}.${mode}${ext}`)
  const args = [...process.argv.slice(2), '--mode', mode, '--database', database]
  const result = await watched(mode, (bar) => new ImportProcess(args, bar).result)
  if (result === undefined) throw new Error(`the import with ${mode} was killed`)
  return result
}

async function watched<T>(mode: Mode, work: (watcher: Watcher) => Promise<T>): Promise<T> {
  const progress = showProgress(mode)
  try {
    return await work(progress)
  } finally {
    progress.ends()
  }
}

function tell(results: readonly ImportResult[]): void {
  console.log(report(results))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)
}
