/** A site of the example's own, on the loopback: the files of a folder, and made documents (`/made/SEED/N.html`). */
import { createServer } from 'node:http'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { formatOf, readDocument, type Format } from './documents/read.ts'
import { listening } from './listening.ts'
import { asHtml, asMarkdown, madeDocument } from './made.ts'

export interface Site extends AsyncDisposable {
  readonly url: string
}

const types: Readonly<Record<Format, string>> = {
  html: 'text/html',
  markdown: 'text/markdown',
  text: 'text/plain',
}
const made = /^\/made\/(\d{1,6})\/(\d{1,9})\.(html|md)$/

/** @param onRead is told of each made document that is asked for */
export async function serveSite(
  folder: string | undefined,
  port = 0,
  onRead?: (n: number) => void,
): Promise<Site> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body)
    }
    const answer = async (): Promise<void> => {
      const pathname = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
      const [, seed, n, ending] = made.exec(pathname) ?? []
      if (seed !== undefined) {
        onRead?.(Number(n))
        const document = madeDocument(Number(seed), Number(n))
        return ending === 'md'
          ? send(200, types.markdown, asMarkdown(document))
          : send(200, types.html, asHtml(document))
      }
      if (folder === undefined) return send(404, 'text/plain', 'nothing here')
      if (pathname === '/') {
        const links = (await documentsIn(folder)).map(
          (name) => `<li><a href="/${encodeURI(name)}">${name}</a></li>`,
        )
        return send(200, types.html, `<!doctype html><title>Documents</title><ul>${links.join('')}</ul>`)
      }
      const { format, content } = await readDocument(pathname.slice(1), folder, AbortSignal.timeout(10_000))
      send(200, types[format], content)
    }
    answer().catch((error: unknown) =>
      send(404, 'text/plain', error instanceof Error ? error.message : String(error)),
    )
  })
  const { port: at, close } = await listening(server, port)
  return { url: `http://127.0.0.1:${at}`, [Symbol.asyncDispose]: close }
}

/** Of the kinds that are read, as paths below the folder. */
export async function documentsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && formatOf(entry.name) !== undefined)
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
    .toSorted()
}
