/**
 * Vectors in Qdrant. It was not run against a real server: none could be had where this was made. Its requests are of the
 * client's own types.
 */
import { QdrantClient } from '@qdrant/js-client-rest'
import { qdrant, qdrantPointId, type Effect } from '../tidemark.ts'
import {
  embedKind,
  type KeptVector,
  type VectorChange,
  type VectorOutcome,
  type Vectors,
} from '../vectors.ts'

const collection = 'extractions'

export async function qdrantVectors(url: string, dimensions: number): Promise<Vectors> {
  const apiKey = process.env['QDRANT_API_KEY']
  const client = new QdrantClient({ url, ...(apiKey !== undefined && { apiKey }) })
  const target = qdrant({ url, collection, ...(apiKey !== undefined && { apiKey }) })
  const { exists } = await client.collectionExists(collection)
  if (!exists) {
    await client.createCollection(collection, { vectors: { size: dimensions, distance: 'Cosine' } })
    await client.createPayloadIndex(collection, {
      field_name: 'project',
      field_schema: 'integer',
      wait: true,
    })
    await client.createPayloadIndex(collection, {
      field_name: 'extraction',
      field_schema: 'keyword',
      wait: true,
    })
  }
  const pointOf = (id: string): string => qdrantPointId(embedKind, id)

  return {
    embeddingId: pointOf,
    deliver: async (changes, signal) => {
      const outcomes = (await target.deliver(changes.map(effectOf), { signal })) ?? []
      return changes.map((_, at) => outcomes[at] as VectorOutcome)
    },
    search: async (vector, project, most) => {
      const { points } = await client.query(collection, {
        query: Array.from(vector),
        filter: { must: [{ key: 'project', match: { value: project } }] },
        limit: most,
        with_payload: true,
      })
      return points.map(({ payload, score }) => ({ id: extractionIn(payload), distance: 1 - score }))
    },
    list: async (after, most) => {
      const page = await client.scroll(collection, {
        limit: most,
        with_payload: true,
        ...(after !== undefined && { offset: after }),
      })
      const vectors = page.points.map(({ payload }): KeptVector => ({
        id: extractionIn(payload),
        project: Number(payload?.['project']),
      }))
      return { vectors, next: typeof page.next_page_offset === 'string' ? page.next_page_offset : undefined }
    },
    known: async (ids) => {
      const points = await client.retrieve(collection, { ids: ids.map(pointOf), with_payload: true })
      return new Set(points.map(({ payload }) => extractionIn(payload)))
    },
    probe: async () => await target.probe(AbortSignal.timeout(5_000)),
    close: async () => await target.close(),
  }
}

function effectOf({ effect, project, vector }: VectorChange): Effect {
  const payload =
    vector === undefined
      ? { op: 'delete' }
      : { op: 'set', vector: Array.from(vector), payload: { project, extraction: effect.key ?? '' } }
  return { ...effect, payload }
}

function extractionIn(payload: Record<string, unknown> | null | undefined): string {
  const id = payload?.['extraction']
  return typeof id === 'string' ? id : ''
}
