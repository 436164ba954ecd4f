/**
 * A server that can be killed: node server-process.ts FILE PORT
 * Says `serving URL`. Each line it is told is a message, which is stored; it says `stored N` when N of them are.
 */
import { createInterface } from 'node:readline'
import { openLogs } from '../../src/logs/index.ts'
import { serve } from '../../src/server/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'

const [file = '', port = '0'] = process.argv.slice(2)
const logs = await openLogs(sqlite(file))
const { url } = await serve({ logs, port: Number(port) })
console.log(`serving ${url}`)

let stored = 0
for await (const message of createInterface({ input: process.stdin })) {
  await logs.store({ message })
  console.log(`stored ${++stored}`)
}
