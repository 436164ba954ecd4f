/** What is checked of a URL before anybody reads it, and what of a query string is not text. */
import type { FastifyRequest } from 'fastify'
import { RequestError } from './request-error.ts'

/** A parser that takes `%zz` for itself would let two requests mean the same and look different. @throws RequestError */
export function requirePercentEncoding(url: string): void {
  try {
    decodeURIComponent(url.replaceAll('+', ' '))
  } catch {
    throw new RequestError('BAD_REQUEST', 'The URL is not percent-encoded UTF-8.')
  }
  if (/%00/.test(url)) throw new RequestError('BAD_REQUEST', 'The URL holds a NUL.')
}

/** Bodies are taken at their word; in a query string everything is text, so what should be a number is made one. */
export function convertIntegers({ query, routeOptions }: FastifyRequest): void {
  if (typeof query !== 'object' || query === null) return
  const values = query as Record<string, unknown>
  for (const name of integersOf(routeOptions.schema?.querystring)) {
    const value = values[name]
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) values[name] = Number(value)
  }
}

function integersOf(schema: unknown): string[] {
  const { properties = {} } = (schema ?? {}) as {
    readonly properties?: Record<string, { readonly type?: unknown }>
  }
  return Object.keys(properties).filter((name) => properties[name]?.type === 'integer')
}
