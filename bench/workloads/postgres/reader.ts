/** The process that reads what another one has written: each line of its socket is a bookmark and the key of a row. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import type { PostgresJob, Workload } from '../../job.ts'
import { openPostgres } from '../../peers/postgres/tidemark.ts'
import { readRow } from './read-back.ts'

export interface Answered {
  readonly answered: number
}

export const reader: Workload<Answered, PostgresJob> = async (job, pause) => {
  const db = await openPostgres(job.url)
  let answered = 0
  const server = createServer({ noDelay: true }, (socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const [id, bookmark] = line.split(' ')
      const answer = (text: string): void => void socket.write(`${id} ${text}\n`)
      readRow(db, { after: String(bookmark) }, Number(id)).then(
        (message) => {
          answered++
          answer(message ?? '')
        },
        (error: unknown) => socket.destroy(error as Error),
      )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await pause(String((server.address() as AddressInfo).port))
  server.close()
  await db.close()
  return { answered }
}
