#!/usr/bin/env node
// The command line's front door. Plain JavaScript in the syntax of old Nodes, so that even they can say
// what is needed, and everything newer is imported only once the version is known.
import { existsSync } from 'fs'

const needed = '22.22'
const running = process.versions.node

if (isOlder(running, needed)) {
  process.stderr.write(
    'tidemark: needs Node.js ' +
      needed +
      ' or newer, and this is ' +
      running +
      ' (' +
      process.execPath +
      ').\n' +
      'Get a newer one from https://nodejs.org, or with your version manager, for example: nvm install 24\n',
  )
  process.exit(1)
}

muteSqliteWarning()

// A checkout runs its sources as they are; the package has only what was built from them.
const source = new URL('../src/cli/main.ts', import.meta.url)
const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
import(main.href).catch(function (error) {
  process.stderr.write('tidemark: could not start: ' + ((error && error.stack) || error) + '\n')
  process.exit(1)
})

function isOlder(version, than) {
  const have = version.split('.').map(Number)
  const want = than.split('.').map(Number)
  return have[0] < want[0] || (have[0] === want[0] && have[1] < want[1])
}

// Node 22 calls node:sqlite experimental on every start. Who runs a command has no use for that line;
// every other warning is left alone.
function muteSqliteWarning() {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = function (warning, options, ...rest) {
    const type = options && typeof options === 'object' ? options.type : options
    const isAboutSqlite = type === 'ExperimentalWarning' && String(warning).startsWith('SQLite ')
    if (!isAboutSqlite) emitWarning(warning, options, ...rest)
  }
}
