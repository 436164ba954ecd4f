import type { Vectors } from '../vectors.ts'
import { qdrantVectors } from './qdrant.ts'
import { remoteVectors } from './remote.ts'

/** @param url of the process `vectors`; Qdrant takes its place where `QDRANT_URL` is set */
export async function openVectors(url: string, dimensions: number): Promise<Vectors> {
  const qdrantUrl = process.env['QDRANT_URL']
  return qdrantUrl === undefined ? remoteVectors(url) : await qdrantVectors(qdrantUrl, dimensions)
}
