import type { OpenOptions } from '../tidemark.ts'
import type { Metadata, MetadataPlace, OpenMetadata, StoreKind } from './metadata.ts'
import { openSql } from './sql.ts'
import { openSurreal } from './surreal.ts'

const kinds: Record<StoreKind, OpenMetadata> = { sqlite: openSql, postgres: openSql, surrealdb: openSurreal }

export function openMetadata(place: MetadataPlace, options: OpenOptions): Promise<Metadata> {
  return kinds[place.kind](place, options)
}
