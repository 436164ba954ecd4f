/** COPY, a thousand rows each: the fastest way into PostgreSQL, for rows that only ever come and need no answer. */
import { finished } from 'node:stream/promises'
import { Client } from 'pg'
import { from } from 'pg-copy-streams'
import { inCommits } from '../peer.ts'
import { AWAITING, type OpenPostgresPeer } from './peer.ts'

export const copy: OpenPostgresPeer = async (url, rows, { rowsPerCommit }) => {
  const client = new Client(url)
  await client.connect()
  const names = rows.columns.map(({ name }) => name)
  const sql = `COPY ${rows.table} (${names.join(', ')}) FROM STDIN`
  return {
    write: inCommits({ rowsPerCommit, commitsPerTick: AWAITING }, async (first, count) => {
      let lines = ''
      for (let index = first; index < first + count; index++) {
        const row = rows.at(index)
        for (let at = 0; at < names.length; at++)
          lines += `${at === 0 ? '' : '\t'}${textOf(row[names[at] ?? ''])}`
        lines += '\n'
      }
      const stream = client.query(from(sql))
      stream.end(lines)
      await finished(stream)
    }),
    close: () => client.end(),
  }
}

const special = /[\\\t\n\r]/
const specials = /[\\\t\n\r]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** As COPY reads it: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS */
function textOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text =
    typeof value === 'string' ? value : value instanceof Date ? value.toISOString() : JSON.stringify(value)
  return special.test(text) ? text.replace(specials, (found) => ESCAPES[found] ?? found) : text
}
