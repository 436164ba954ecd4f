/**
 * A Node stream that writes rows. Its backpressure is the queue's: a full queue holds the source back.
 *
 * Keeps: law 7 (nothing is buffered beyond the queue and the stream's own high-water mark), law 9 (it finishes
 * when everything written to it is committed or in the dead letters).
 */
import { Writable } from 'node:stream'
import { QueueFullError } from '../errors.ts'
import type { WriteEngine } from './engine.ts'
import type { Row } from './encode.ts'

export function writableTo(engine: WriteEngine, table: string): Writable {
  const insert = async (row: Row): Promise<void> => {
    for (;;) {
      try {
        engine.operations.insert(table, row)
        return
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error
        await engine.whenRoom()
      }
    }
  }
  return new Writable({
    objectMode: true,
    write(row: Row, _encoding, done) {
      // The common case takes no promise: a stream calls this once a row.
      try {
        engine.operations.insert(table, row)
      } catch (error) {
        if (!(error instanceof QueueFullError)) return done(error as Error)
        insert(row).then(() => done(), done)
        return
      }
      done()
    },
    final(done) {
      engine.flush().then(() => done(), done)
    },
  })
}
