/** Whether Node, and the SQLite inside it, are new enough. */
import { checkpointsApart, isAtLeast } from '../../stores/sqlite/connection.ts'
import { SQLITE_DEFAULTS } from '../../stores/sqlite/options.ts'
import { fail, ok, warn, type Finding } from './finding.ts'

const neededNode = [22, 22]

export function nodeVersion(version: string = process.versions.node): Finding {
  return isAtLeast(version, neededNode)
    ? ok('Node', version)
    : fail(
        'Node',
        `${version}, and ${neededNode.join('.')} is needed`,
        'Get a newer one from https://nodejs.org, or with your version manager: nvm install 24',
      )
}

export function sqliteVersion(version: string = process.versions['sqlite'] ?? 'none'): Finding {
  if (checkpointsApart(SQLITE_DEFAULTS, version)) return ok('SQLite', `${version}, inside Node`)
  return warn(
    'SQLite',
    `${version}, inside Node; before 3.51.3 it may damage a file whose log is copied back on a thread of its own`,
    'Nothing is at risk: the writer copies the log back itself, which costs rate. A newer Node brings a newer SQLite.',
  )
}
