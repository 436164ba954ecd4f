/**
 * Programs and threads that tests start by the hundred, each bundled into a few files, as is Kysely for everybody: to
 * find and load five hundred small files is most of what such a process does, before it does anything.
 *
 * What runs is the sources, made whole when the run begins. A run that watches them goes without.
 */
import { globSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown, type Plugin } from 'rolldown'
import type { TestProject } from 'vitest/node'
import { madeOnce } from './shared-folder.ts'

const root = path.resolve(import.meta.dirname, '../..')
const kysely = createRequire(import.meta.url).resolve('kysely')

const programs = [
  'src/cli/main.ts',
  'src/stores/sqlite/{worker,worker-query,query-child}.ts',
  'src/targets/sqlite-vec/worker.ts',
  'test/{crash,dashboard,fault,incidents,replicas}/*-process.ts',
  'test/crash/{child,ending,effects-target,effects-worker}.ts',
  'test/clients/pino-program.ts',
  'test/histories/process.ts',
  'test/support/sql-process.ts',
]

/** Bundled too. Others load parts of themselves by where they are. */
const packages = /^(kysely|pg|prom-client|commander|cli-progress|cli-table3|csv-parse\/sync)$/

/** Vitest calls this before the first test of a run. What its processes start in turn inherits it. */
export default async function useWholePrograms({ vitest }: TestProject): Promise<void> {
  if (vitest.config.watch) return
  const folder = await madeOnce('programs', bundleInto)
  process.env['NODE_OPTIONS'] =
    `${process.env['NODE_OPTIONS'] ?? ''} --require="${path.join(folder, 'use.cjs')}"`
}

async function bundleInto(folder: string): Promise<void> {
  mkdirSync(folder)
  // What is not bundled is found as before.
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  const sources = [kysely, ...programs.flatMap((pattern) => globSync(path.join(root, pattern)))]
  const bundle = await rolldown({
    input: Object.fromEntries(sources.map((source, index) => [`program${index}`, source])),
    platform: 'node',
    external: isElsewhere,
    plugins: [atHome],
    logLevel: 'silent',
  })
  await bundle.write({
    dir: folder,
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunk-[hash].mjs',
    keepNames: true,
  })
  await bundle.close()
  const made = sources.map((source, index) => [pathToFileURL(source).href, `/program${index}.mjs`])
  writeFileSync(path.join(folder, 'use.cjs'), use(made))
}

function isElsewhere(id: string, importer: string | undefined): boolean {
  if (/^[./]/.test(id)) return false
  return importer?.includes('node_modules') ? id === 'pg-native' : !packages.test(id)
}

/** Programs find what lies beside them where their sources are. */
const atHome: Plugin = {
  name: 'at-home',
  transform: (code, id) =>
    id.includes('node_modules')
      ? undefined
      : code
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
          .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(id))),
}

const use = (made: readonly string[][]): string => `'use strict'
const made = new Map(${JSON.stringify(made)})
const folder = require('node:url').pathToFileURL(__dirname).href
require('node:module').registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const whole = made.get(found.url)
    return whole === undefined ? found : { ...found, url: folder + whole, format: 'module' }
  },
})
`
