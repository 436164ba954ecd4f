/** How a book is: from memory while its job runs in this process, else from the database; and which of both it was. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { children } from './pipeline/memory-first.ts'
import type { DB } from './tables.ts'
import type { Tidemark } from './tidemark.ts'

export async function statusOf(db: Tidemark<DB>, id: string): Promise<object | undefined> {
  const { row, from, isSaved, lagMs, children: rows } = await db.live.peek('books', { id }, { children })
  if (row === undefined) return undefined
  const { pages, entries, chapters } = rows
  return {
    from,
    isSaved,
    lagMs: Math.round(lagMs),
    book: row,
    pages: pages.length,
    entries: { found: entries.length, linked: entries.filter(({ start }) => start !== null).length },
    chapters: chapters
      .toSorted((a, b) => a.n - b.n)
      // The text itself is not status.
      .map(({ n, title, words, class: kind, text }) => ({
        n,
        title,
        words,
        class: kind,
        isPolished: text !== null,
      })),
  }
}

/** `GET /books/:id` on this port, 0 for any that is free; on this machine only. */
export async function serveStatus(db: Tidemark<DB>, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const id = /^\/books\/([^/?]+)$/.exec(request.url ?? '')?.[1]
    if (request.method !== 'GET' || id === undefined)
      return answer(response, 404, { error: 'GET /books/:id' })
    statusOf(db, decodeURIComponent(id)).then(
      (status) => answer(response, status === undefined ? 404 : 200, status ?? { error: `no book "${id}"` }),
      (error: unknown) => answer(response, 500, { error: String(error) }),
    )
  })
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  return server
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body, undefined, 2)}\n`)
}
