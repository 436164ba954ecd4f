/** The query string by which logs are searched and followed, and the filter that it means. */
import type { Filter, Level } from '../logs/index.ts'
import { levelSchema, type Schema } from './schemas.ts'

export interface FilterQuery {
  readonly q?: string
  readonly level?: Level
  readonly service?: string
  readonly from?: number
  readonly to?: number
  readonly [attribute: `attr.${string}`]: string
}

const maxTextLength = 1_000

export const filterProperties: Schema = {
  q: {
    type: 'string',
    maxLength: maxTextLength,
    description: 'Words that must all be there, "a phrase", prefix*, -not, this OR that',
  },
  level: { ...levelSchema, description: 'This level or a worse one' },
  service: { type: 'string', maxLength: maxTextLength },
}

export const attributeProperties: Schema = {
  '^attr\\..{1,200}$': { type: 'string', maxLength: maxTextLength },
}

const prefix = 'attr.'

export function filterOf(query: FilterQuery): Filter {
  const { q, level, service, from, to } = query
  const attributes = Object.entries(query).flatMap(([name, value]: [string, unknown]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), String(value)] as const] : [],
  )
  return {
    ...(q === undefined || q.trim() === '' ? {} : { text: q }),
    ...(level === undefined ? {} : { level }),
    ...(service === undefined ? {} : { service }),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
  }
}
