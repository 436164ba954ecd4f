/** What a request says of freshness: a level, bookmarks, and how long it would wait. */
import type { FastifyRequest } from 'fastify'
import type { Consistency, WaitOptions } from '../index.ts'
import { RequestError } from './request-error.ts'

export interface Asked extends WaitOptions {
  readonly consistency?: Consistency
  readonly bookmarks: readonly string[]
  readonly timeoutMs?: number
}

const levels: readonly Consistency[] = ['eventual', 'readAfterWrite', 'strong']
/** A client that follows so many sources merges them by reading once. */
const maxBookmarks = 20

/** @throws RequestError for what is no level, no number, or more than anybody needs */
export function askedBy({ headers }: FastifyRequest, waitMs: number): Asked {
  const level = single(headers['tidemark-consistency'])
  const consistency = levels.find((known) => known === level)
  if (level !== undefined && consistency === undefined)
    throw new RequestError('BAD_REQUEST', `Tidemark-Consistency is one of ${levels.join(', ')}.`)
  const bookmarks = (single(headers['tidemark-bookmark']) ?? '')
    .split(',')
    .map((bookmark) => bookmark.trim())
    .filter((bookmark) => bookmark !== '')
  if (bookmarks.length > maxBookmarks)
    throw new RequestError('BAD_REQUEST', `Tidemark-Bookmark has more than ${maxBookmarks} bookmarks.`, {
      hint: 'Read once with some of them, and go on with the bookmark of the answer.',
    })
  if (consistency === 'eventual' && bookmarks.length > 0)
    throw new RequestError('BAD_REQUEST', 'An eventual read waits for nothing, so it takes no bookmark.')
  const timeoutMs = timeoutOf(single(headers['tidemark-timeout-ms']), waitMs)
  return {
    bookmarks,
    ...(consistency === undefined ? {} : { consistency }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}

function timeoutOf(text: string | undefined, waitMs: number): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text))
    throw new RequestError('BAD_REQUEST', 'Tidemark-Timeout-Ms is a whole number of milliseconds.')
  return Math.min(Number(text), waitMs)
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
