import { fallbackTs } from './format.ts'
import type { Clock, LogRow, Refusal } from './format.ts'
import type { Priority } from './syslog-priority.ts'
import { scanEnd, scanIso } from './timestamps.ts'

const NIL = '-'
const ELEMENT = /\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\\]]|\\.)*")*)\]/y
const PARAMETER = / ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"/g

/**
 * Reads RFC 5424 from its time on: `time host app pid msgid structured-data message`, each `-` if not
 * known.
 */
export function parseRfc5424(line: string, at: number, priority: Priority, clock: Clock): LogRow | Refusal {
  const words: string[] = []
  let next = at
  for (let word = 0; word < 5; word++) {
    const end = line.indexOf(' ', next)
    if (end < 0) return 'an RFC 5424 line that ends within its header'
    words.push(line.slice(next, end))
    next = end + 1
  }
  const [time = NIL, host, app, pid, messageId] = words
  let ts = fallbackTs(clock)
  if (time !== NIL) {
    ts = scanIso(time, 0)
    if (Number.isNaN(ts) || scanEnd !== time.length) return `not a time: ${time}`
    clock.lastTs = ts
  }
  const structured = structuredData(line, next)
  if (structured === undefined) return 'the structured data is neither - nor [id name="value" …]'
  // The message may open with a byte order mark that says it is UTF-8, which everything here is.
  const message = line.slice(structured.end + 1).replace(/^\uFEFF/, '')
  const attributes = JSON.stringify({
    host: said(host),
    pid: said(pid),
    messageId: said(messageId),
    facility: priority.facility,
    severity: priority.severity,
    structured: structured.elements,
  })
  return { ts, level: priority.level, service: said(app) ?? null, message, attributes }
}

function said(word: string | undefined): string | undefined {
  return word === NIL ? undefined : word
}

type Elements = Record<string, Record<string, string>>

function structuredData(
  line: string,
  at: number,
): { elements: Elements | undefined; end: number } | undefined {
  if (line.startsWith(NIL, at)) return endsAt(line, at + 1) ? { elements: undefined, end: at + 1 } : undefined
  const elements: [string, Record<string, string>][] = []
  ELEMENT.lastIndex = at
  let end = at
  for (let match = ELEMENT.exec(line); match !== null; match = ELEMENT.exec(line)) {
    const [, id = '', parameters = ''] = match
    const pairs = [...parameters.matchAll(PARAMETER)].map(([, name = '', value = '']) => {
      return [name, value.replace(/\\(["\\\]])/g, '$1')] as const
    })
    elements.push([id, Object.fromEntries(pairs)])
    end = ELEMENT.lastIndex
  }
  if (elements.length === 0 || !endsAt(line, end)) return undefined
  return { elements: Object.fromEntries(elements), end }
}

function endsAt(line: string, at: number): boolean {
  return at === line.length || line.charCodeAt(at) === 32
}
