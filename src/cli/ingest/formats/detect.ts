/** Tells the format of a log from its first lines. */
import { parseAccess } from '../../../logs/formats/access.ts'
import { isTabbed, planCsv } from './csv-plan.ts'
import type { CsvLine } from './csv-records.ts'
import type { Clock, LineParser } from '../../../logs/formats/format.ts'
import type { FormatName } from './columns.ts'
import { parseLogfmt } from '../../../logs/formats/logfmt.ts'
import { parseNdjson } from '../../../logs/formats/ndjson.ts'
import { parsePlain } from '../../../logs/formats/plain.ts'
import { parseSyslog } from '../../../logs/formats/syslog.ts'

export interface Detection {
  readonly format: FormatName
  /** How sure this is, 0 to 1. Below 0.8, tell the user. */
  readonly confidence: number
  /** In words, for the user. */
  readonly reason: string
}

const SAMPLE_LINES = 100
/** A format that most lines are not in is not the file's. */
const MIN_SHARE = 0.5
const MAX_CSV_SAMPLE_BYTES = 64 * 1024

/** Nothing but pairs, and at least two: a sentence with one `key=value` in it is no logfmt. */
const ONLY_PAIRS =
  /^\s*[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))+\s*$/

interface Candidate {
  readonly format: FormatName
  readonly title: string
  readonly isLine: (line: string) => boolean
}

/** The format of the file `name` that begins with these lines. */
export function detectFormat(lines: readonly CsvLine[], name: string): Detection {
  const good = lines.filter((line) => line.error === undefined && line.text.trim() !== '')
  const sample = good.slice(0, SAMPLE_LINES).map((line) => line.text)
  const candidates: readonly Candidate[] = [
    { format: 'ndjson', title: 'JSON objects', isLine: accepts(parseNdjson) },
    { format: 'access', title: 'access log lines', isLine: accepts(parseAccess) },
    { format: 'syslog', title: 'syslog lines', isLine: accepts(parseSyslog) },
    {
      format: 'logfmt',
      title: 'key=value pairs',
      isLine: (line) => ONLY_PAIRS.test(line) && accepts(parseLogfmt)(line),
    },
  ]
  const csv = detectCsv(lines, name)
  let best = csv ?? plain(sample)
  if (sample.length === 0 || csv?.confidence === 1) return best
  let bestShare = csv?.confidence ?? MIN_SHARE
  for (const { format, title, isLine } of candidates) {
    const count = sample.filter(isLine).length
    const share = count / sample.length
    if (share <= bestShare) continue
    bestShare = share
    best = { format, confidence: share, reason: `${count} of the first ${sample.length} lines are ${title}` }
  }
  return best
}

/** What nothing else explains. It is a good guess where lines open with a time. */
function plain(sample: readonly string[]): Detection {
  const timed = sample.filter((line) => {
    const clock = freshClock()
    parsePlain(line, clock)
    return !Number.isNaN(clock.lastTs)
  }).length
  const share = sample.length === 0 ? 0 : timed / sample.length
  const reason =
    sample.length === 0
      ? 'there is no line to tell by'
      : `no known structure; ${timed} of the first ${sample.length} lines open with a time`
  return { format: 'plain', confidence: 0.5 + share / 2, reason }
}

/**
 * A file that is named so, or whose lines all have as many fields as the first one, which looks like names.
 */
function detectCsv(lines: readonly CsvLine[], name: string): Detection | undefined {
  const isNamedSo = /\.csv(?:\.gz)?$/i.test(name) || isTabbed(name)
  const plan = planCsv(lines.slice(0, SAMPLE_LINES), name, MAX_CSV_SAMPLE_BYTES)
  if (plan === undefined) return undefined
  if (isNamedSo) return { format: 'csv', confidence: 1, reason: 'the name of the file says so' }
  const isTable = plan.header.length >= 2 && plan.sampleRows >= 2 && plan.fittingRows === plan.sampleRows
  const hasNames = plan.header.every((field) => /^\s*[\p{L}_][\p{L}\p{N}_ .()%#/-]{0,63}$/u.test(field))
  if (!isTable || !hasNames || new Set(plan.header).size < plan.header.length) return undefined
  const reason = `a header and ${plan.sampleRows} rows of ${plan.header.length} fields each`
  return { format: 'csv', confidence: plan.header.length >= 3 ? 0.9 : 0.7, reason }
}

function accepts(parse: LineParser): (line: string) => boolean {
  return (line) => typeof parse(line, freshClock()) !== 'string'
}

function freshClock(): Clock {
  return { lastTs: Number.NaN, referenceMs: 0 }
}
