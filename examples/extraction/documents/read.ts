/** Fetches a document: a file below the worker's folder, or a page of this machine. Nothing else is reached. */
import { open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { problemOf } from './uri.ts'

export type Format = 'html' | 'markdown' | 'text'

export interface Document {
  readonly format: Format
  readonly content: string
}

/** No later attempt will do better: the source is at fault. */
export class BadDocument extends Error {}

const maxBytes = 2 * 2 ** 20
const timeoutMs = 10_000
const formats: Readonly<Record<string, Format>> = {
  '.html': 'html',
  '.htm': 'html',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
}
const types: Readonly<Record<string, Format>> = {
  'text/html': 'html',
  'text/markdown': 'markdown',
  'text/plain': 'text',
}

/**
 * @param folder where documents that are named by a path lie
 * @throws BadDocument; anything else may pass
 */
export async function readDocument(uri: string, folder: string, signal: AbortSignal): Promise<Document> {
  const problem = problemOf(uri)
  if (problem !== undefined) throw new BadDocument(problem)
  return uri.includes('://') ? await readPage(uri, signal) : await readFile(uri, folder)
}

export function formatOf(name: string): Format | undefined {
  return formats[path.extname(name).toLowerCase()]
}

async function readFile(name: string, folder: string): Promise<Document> {
  const format = formatOf(name)
  if (format === undefined) throw new BadDocument(`"${name}" is none of ${Object.keys(formats).join(', ')}`)
  const root = await realpath(folder)
  const file = await realpath(path.join(root, name)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' || error.code === 'ENOTDIR'
      ? new BadDocument(`there is no file "${name}"`)
      : error
  })
  if (!file.startsWith(root + path.sep)) throw new BadDocument(`"${name}" leads out of the folder`)
  const handle = await open(file)
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new BadDocument(`"${name}" is no file`)
    if (stat.size > maxBytes) throw tooLarge(name)
    return { format, content: decode(await handle.readFile(), name) }
  } finally {
    await handle.close()
  }
}

async function readPage(url: string, signal: AbortSignal): Promise<Document> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  const { status } = response
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    await response.body?.cancel()
    throw new BadDocument(`${url} answers ${status}`)
  }
  // The limiter reads the status.
  if (!response.ok) throw Object.assign(new Error(`${url} answers ${status}`), { status })
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  const format = types[type.trim().toLowerCase()]
  if (format === undefined) throw new BadDocument(`${url} is of type "${type}", not HTML, Markdown or text`)
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > maxBytes) throw tooLarge(url)
    parts.push(part)
  }
  return { format, content: decode(Buffer.concat(parts), url) }
}

function tooLarge(name: string): BadDocument {
  return new BadDocument(`"${name}" is larger than ${maxBytes / 2 ** 20} MiB`)
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    // PostgreSQL keeps no U+0000.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\0', '')
  } catch {
    throw new BadDocument(`"${name}" is not UTF-8`)
  }
}
