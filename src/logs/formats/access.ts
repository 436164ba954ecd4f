import type { Clock, Level, LogRow, Refusal } from './format.ts'
import { findStyledTime } from './time-styles.ts'

const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`
const LINE = new RegExp(
  String.raw`^(?:(\S+:\d+) )?(\S+) (\S+) (\S.*?) \[([^\]]+)\] ${QUOTED} (\d{3}) (\d+|-)(?: ${QUOTED} ${QUOTED})?(?: (.*))?$`,
)
const REQUEST = /^([A-Z]{3,20}) (\S+)(?: (HTTP\/[\d.]+))?$/

// Busy servers write many lines within one second.
let lastTimeText = ''
let lastTime = Number.NaN

/**
 * Access logs in the common and combined format: Apache, nginx, Caddy's transform and their like, also with a
 * virtual host in front or fields of one's own at the end.
 *
 * The level follows the status: 5xx is an error, 4xx a warning.
 */
export function parseAccess(line: string, clock: Clock): LogRow | Refusal {
  const match = LINE.exec(line)
  if (match === null) return refusalFor(line)
  const [, host, remote, identity, user, time = '', request = '', status = '', bytes, referer, agent, extra] =
    match
  if (time !== lastTimeText) {
    const found = findStyledTime(time, 0)
    lastTimeText = time
    lastTime = found !== undefined && found.end === time.length ? found.ts : Number.NaN
  }
  if (Number.isNaN(lastTime)) return `not a time: [${time}]`
  clock.lastTs = lastTime
  const [, method, path, protocol] = REQUEST.exec(request) ?? []
  // JSON leaves out what is undefined: only what the line really says is stored.
  const attributes = JSON.stringify({
    host,
    remote,
    identity: said(identity),
    user: said(user),
    method,
    path: path === undefined ? undefined : unescaped(path),
    protocol,
    status: Number(status),
    bytes: bytes === '-' ? undefined : Number(bytes),
    referer: said(referer),
    agent: said(agent),
    extra: said(extra),
  })
  return {
    ts: lastTime,
    level: levelOfStatus(status),
    service: null,
    message: `${unescaped(request)} ${status}`,
    attributes,
  }
}

/** `-` stands for "nothing to say". */
function said(text: string | undefined): string | undefined {
  return text === undefined || text === '-' || text === '' ? undefined : unescaped(text)
}

/** Servers write a quote within a field as \" (Apache) or \x22 (nginx); other escapes stay as they are. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\(["\\])|\\x22/g, (_, char: string | undefined) => char ?? '"')
    : text
}

function levelOfStatus(status: string): Level {
  if (status >= '500') return 'error'
  return status >= '400' ? 'warn' : 'info'
}

function refusalFor(line: string): Refusal {
  if (!/\[[^\]]+\]/.test(line)) return 'not an access log line: no [time]'
  return /" \d{3} /.test(line) ? 'not an access log line' : 'not an access log line: no "request" and status'
}
