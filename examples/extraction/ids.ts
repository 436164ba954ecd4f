/** Names made of what they name: done again, it is the same name, and nothing is there twice. */
import { createHash } from 'node:crypto'

export function sourceId(project: number, uri: string): string {
  return digest(`${project}\n${uri}`, 24)
}

export function revisionOf(title: string, body: string): string {
  return digest(`${title}\n${body}`, 16)
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
