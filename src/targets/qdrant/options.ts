import { httpUrl, parseOptions, text, whole, type Check } from '../../options.ts'

export interface QdrantOptions {
  /** Such as `http://localhost:6333`; without a port 6333, with `https:` 443. A path stands before Qdrant's own. */
  readonly url: string
  readonly collection: string
  /** Default none. */
  readonly apiKey?: string
  /** How long a request may take, in ms. Default 30,000. */
  readonly timeoutMs?: number
}

export type QdrantSettings = Required<QdrantOptions>

export const QDRANT_DEFAULTS: Required<Omit<QdrantOptions, 'url' | 'collection'>> = Object.freeze({
  apiKey: '',
  timeoutMs: 30_000,
})

const anyText: Check = (value) => (typeof value === 'string' ? undefined : 'must be a text')

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parseQdrantOptions(given: QdrantOptions): QdrantSettings {
  return parseOptions<QdrantSettings>(
    'qdrant',
    given,
    { url: httpUrl, collection: text, apiKey: anyText, timeoutMs: whole },
    QDRANT_DEFAULTS,
  )
}
