/**
 * The Qdrant target on a real server, which `QDRANT_URL` names. Neither npm nor apt has one, so that it cannot be
 * started here like the others: without the name this is one skipped test, also where services are required
 * (TIDEMARK_REQUIRE_SERVICES=1), and the report says so.
 */
import { randomUUID } from 'node:crypto'
import { QdrantClient } from '@qdrant/js-client-rest'
import { describe, test } from 'vitest'
import { qdrant, qdrantPointId } from '../../src/targets/qdrant/index.ts'
import { targetConformance } from '../../src/testing/index.ts'
import { freePort } from '../support/servers/process.ts'
import { silentServer } from '../support/servers/silent.ts'

const url = process.env['QDRANT_URL']
const deadPort = await freePort()

if (url === undefined || url === '') {
  test('a Qdrant server is there', ({ skip }) => {
    skip(
      'QDRANT_URL names no server: docker run -p 6333:6333 qdrant/qdrant, QDRANT_URL=http://localhost:6333',
    )
  })
} else {
  const client = new QdrantClient({ url })
  targetConformance(
    {
      name: 'qdrant on a server',
      lacks: ['versions of what is deleted'],
      async fresh() {
        const collection = `tidemark-${randomUUID()}`
        await client.createCollection(collection, { vectors: { size: 2, distance: 'Dot' } })
        return {
          target: qdrant({ url, collection }),
          put: (value) => ({ op: 'set', vector: [1, value] }),
          remove: () => ({ op: 'delete' }),
          bad: { op: 'set', vector: [1, 2, 3] },
          async held(key) {
            const ids = ['index', 'one', 'other'].map((kind) => qdrantPointId(kind, key))
            const [point] = await client.retrieve(collection, { ids, with_vector: true })
            return (point?.vector as number[] | undefined)?.[1]
          },
          dispose: async () => void (await client.deleteCollection(collection)),
        }
      },
      nowhere: () => qdrant({ url: `http://127.0.0.1:${deadPort}`, collection: 'songs' }),
      async silent() {
        const { port, close } = await silentServer()
        return { target: qdrant({ url: `http://127.0.0.1:${port}`, collection: 'songs' }), dispose: close }
      },
    },
    { describe, test },
  )
}
