import { QdrantClient } from '@qdrant/js-client-rest'
import type { Target } from '../../contracts/effect.ts'
import { systemRuntime } from '../../runtime/system.ts'
import { parseQdrantOptions, type QdrantOptions } from './options.ts'
import { QdrantTarget } from './target.ts'

export { QDRANT_DEFAULTS, type QdrantOptions } from './options.ts'
export { qdrantPointId, type QdrantPayload } from './payload.ts'

/**
 * Points in a collection of Qdrant (1.16 or newer), through `@qdrant/js-client-rest`, which is installed beside:
 * `npm install @qdrant/js-client-rest`. What an effect asks for is its payload, a `QdrantPayload`; its kind and key
 * name the point.
 *
 * - A batch is one request, which is answered when it is applied. A bad effect is found by halving.
 * - The version stands in the point's payload, and each change holds only for an older point, as Qdrant itself checks
 *   (`update_filter`): what comes late or again leaves a newer point. A point that was deleted has no version any
 *   more, so an older effect that comes late brings it back.
 *
 * The collection must be there: how it is indexed is not for this to decide.
 *
 * @throws TidemarkError `INVALID_OPTIONS`
 */
export function qdrant(options: QdrantOptions): Target {
  const settings = parseQdrantOptions(options)
  const { origin, protocol, port, pathname } = new URL(settings.url)
  const client = new QdrantClient({
    url: origin,
    port: Number(port) || (protocol === 'https:' ? 443 : 6333),
    prefix: pathname.replace(/\/+$/, ''),
    // By its own option the client would print a warning on http:.
    headers: settings.apiKey === '' ? {} : { 'api-key': settings.apiKey },
    // It would print too, and this target looks itself.
    checkCompatibility: false,
    // Time is limited here; a limit of the client's would take the place of our signal.
    timeout: Infinity,
  })
  return new QdrantTarget(client.api(), settings, systemRuntime)
}
