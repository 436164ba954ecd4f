/**
 * `npm run vault`, and `npm start` beside this file: a folder of Markdown notes that can be searched by meaning, and says how
 * fresh its answers are.
 */
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fromCaller } from './caller.ts'
import { isInstalled } from './installed.ts'
import { isStoreKind } from './metadata/metadata.ts'

const usage = `npm start -- FOLDER                        as \`watch\`, in this example's own folder
npm run vault -- watch FOLDER              follows the folder until Ctrl-C; prints the address of its page
npm run vault -- search WORDS --folder F   pieces of notes that are near to these words
npm run vault -- related NOTE --folder F   notes near to this one; NOTE is a path below the folder
npm run vault -- status NOTE --folder F    how far a note is
        --consistency eventual        what is committed, at once (the default)
        --consistency readAfterWrite  all that was saved before the question
        --consistency strong          and all of that is searchable
        --timeout-ms 30000            how long an answer may wait to be so fresh; else it is none, and the exit code is 3
        --json                        the answer as it is
npm run vault -- hash --folder F           brings the index up to date, and hashes all that it holds
npm run vault -- race                      reads while notes are in batches; --rounds 10000, --seed 1, --store
npm run vault -- kill                      kills watchers with -9; --kills 20, --seed 1, --files 120, --store
npm run vault -- bench [WHAT …]            import, save, pending, readers; --files 2000, --corpus FOLDER,
                                      --naive-pieces N (the loop embeds so many, the rest is reckoned),
                                      --forget (the vault embeds texts that it knows, too),
                                      --naive-embedder NAME (another for the loop), --side vault|usual (only one)

        --folder FOLDER               the notes (.)
        --state FOLDER                where the index is kept (FOLDER/.vault)
        --store surrealdb|sqlite|postgres   where notes are kept (surrealdb, embedded); postgres needs --url postgres://…
        --embedder NAME               what makes vectors: model (the default); shipped: it, as its package runs it;
                                      hashing: words, without a model; far: that, each call answered 20 ms later
        --port N                      of the page (any)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    consistency: { type: 'string', default: 'eventual' },
    corpus: { type: 'string' },
    embedder: { type: 'string', default: 'model' },
    events: { type: 'boolean', default: false },
    files: { type: 'string' },
    folder: { type: 'string', default: '.' },
    forget: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    json: { type: 'boolean', default: false },
    kills: { type: 'string', default: '20' },
    'naive-embedder': { type: 'string' },
    'naive-pieces': { type: 'string', default: '0' },
    port: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    side: { type: 'string' },
    state: { type: 'string' },
    store: { type: 'string', default: 'surrealdb' },
    'timeout-ms': { type: 'string', default: '30000' },
    url: { type: 'string' },
  },
})
const [command = '', ...rest] = positionals

if (values.help || command === '') {
  console.log(usage)
  if (!values.help) process.exitCode = 2
} else if (isInstalled()) {
  let code = 1
  try {
    code = await run(command)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  // All is closed. By itself a process in which an embedded SurrealDB has made an index would not end.
  process.exit(code)
}

async function run(name: string): Promise<number> {
  switch (name) {
    case 'watch': {
      const { watch } = await import('./watch.ts')
      return await watch({
        ...(await place(rest[0])),
        port: whole('port', values.port),
        events: values.events,
      })
    }
    case 'status':
    case 'search':
    case 'related': {
      const { ask } = await import('./ask.ts')
      const about = rest.join(' ').trim()
      if (about === '') throw new Error(`What about?\n${usage}`)
      return await ask({
        ...(await place()),
        question: name,
        about,
        consistency: values.consistency,
        timeoutMs: whole('timeout-ms', values['timeout-ms']),
        json: values.json,
      })
    }
    case 'hash': {
      const { hashCommand } = await import('./index-hash.ts')
      console.log(await hashCommand(await place()))
      return 0
    }
    case 'race': {
      const { raceCommand } = await import('./race.ts')
      return await raceCommand({
        ...stored(),
        rounds: whole('rounds', values.rounds),
        seed: whole('seed', values.seed),
      })
    }
    case 'kill': {
      const { killCommand } = await import('./kill.ts')
      return await killCommand({
        ...stored(),
        kills: whole('kills', values.kills),
        seed: whole('seed', values.seed),
        files: whole('files', values.files ?? '120'),
      })
    }
    case 'bench': {
      const { bench } = await import('./bench/run.ts')
      return await bench({
        what: rest,
        corpus: values.corpus === undefined ? undefined : fromCaller(values.corpus),
        files: whole('files', values.files ?? '2000'),
        embedder: values.embedder,
        naiveEmbedder: values['naive-embedder'] ?? values.embedder,
        ...stored(),
        forget: values.forget,
        side: values.side,
        naivePieces: whole('naive-pieces', values['naive-pieces']),
        json: values.json,
      })
    }
    default:
      throw new Error(`No command "${name}".\n${usage}`)
  }
}

async function place(given = values.folder): Promise<import('./place.ts').Place> {
  const folder = fromCaller(given)
  const { embedderNamed } = await import('./place.ts')
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`"${given}" is no folder.`)
  const state = values.state === undefined ? undefined : fromCaller(values.state)
  return { folder, state, ...stored(), embedder: embedderNamed(values.embedder) }
}

function stored(): Pick<import('./place.ts').Place, 'store' | 'url'> {
  const { store, url } = values
  if (!isStoreKind(store)) throw new Error(`There is no store "${store}": surrealdb, sqlite or postgres.`)
  return { store, url }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${name} is a whole number, not "${text}".`)
}
