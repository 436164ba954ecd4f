/** Answers as a person reads them. */
import type { Freshness, PendingFile, SearchAnswer, StatusAnswer } from './ask.ts'

export function statusText(answer: StatusAnswer): string {
  const { path, file } = answer
  if (answer.stale !== undefined) return `${path}: ${freshnessText(answer)}`
  if (file === null) return `${path}: no such note\n${freshnessText(answer)}`
  const lines = [
    `${path}: ${file.state}${file.problem === null ? '' : `: ${file.problem}`}`,
    `  ${file.title ?? 'without a title'}, ${file.size} bytes in ${file.pieces} ${file.pieces === 1 ? 'piece' : 'pieces'}`,
    `  seen ${time(file.seen_ms)}${file.searchable_ms === null ? '' : `, searchable ${file.searchable_ms - file.seen_ms} ms later`}`,
  ]
  return [...lines, freshnessText(answer)].join('\n')
}

export function searchText(answer: SearchAnswer): string {
  if (answer.stale !== undefined) return freshnessText(answer)
  const found = answer.found.map(
    ({ path, heading, line, text, likeness }) =>
      `${likeness.toFixed(3)}  ${path}:${line}${heading === '' ? '' : `  ${heading}`}\n       ${short(text)}`,
  )
  const left = [
    ...(answer.outdated > 0
      ? [`left out: ${answer.outdated} that have changed since they were embedded`]
      : []),
    ...(answer.notSearchable > 0
      ? [`not in it: ${answer.notSearchable} notes that are not searchable yet`]
      : []),
  ]
  return [found.join('\n') || 'nothing found', ...left, freshnessText(answer)].join('\n')
}

function freshnessText({ level, waitedMs, tookMs, seen, pending, stale }: Freshness): string {
  const saw = seen.map(({ writer, seq }) => `${writer} up to ${seq}`).join(', ')
  const first =
    stale === undefined
      ? `${level}: waited ${Math.round(waitedMs)} ms of ${Math.round(tookMs)}${saw === '' ? '' : `; saw ${saw}`}`
      : `${level}: no answer after ${Math.round(waitedMs)} ms: ${stale.replace(/^tidemark: /, '')}`
  return [first, pending.length === 0 ? 'nothing pending' : pending.map(pendingText).join('\n')].join('\n')
}

function pendingText({ path, isSeen, operations, oldestMs, isEmbedding }: PendingFile): string {
  const what = [
    ...(isSeen ? ['changed on the disk and not read yet'] : []),
    ...(operations > 0
      ? [`${operations} writes not committed, the oldest for ${Math.round(oldestMs)} ms`]
      : []),
    ...(isEmbedding ? ['not embedded yet'] : []),
  ]
  return `pending: ${path}: ${what.join('; ')}`
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
}
