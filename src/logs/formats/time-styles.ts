import { dayMs, scanEnd as isoEnd, scanIso, timeMs } from './timestamps.ts'

/** A time found at the start of a text, and where it ended. */
export interface FoundTime {
  readonly ts: number
  readonly end: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const CLOCK = String.raw`(?<h>\d\d):(?<m>\d\d):(?<s>\d\d)(?:[.,](?<f>\d{1,9}))?`
const ZONE = String.raw`(?: ?(?<z>[+-]\d\d:?\d\d)|Z| UTC| GMT)?`

/**
 * The styles besides ISO that logs open a line with. All name the month or put the year first: none is
 * ambiguous.
 */
const STYLES: readonly RegExp[] = [
  // 10/Oct/2000:13:55:36 -0700 (access logs)
  new RegExp(String.raw`(?<d>\d\d)\/(?<mon>[A-Z][a-z]{2})\/(?<y>\d{4}):${CLOCK}${ZONE}`, 'y'),
  // Wed, 11 Oct 2000 14:32:52 GMT; 11 Oct 2000 14:32:52.123 (mail, HTTP, redis)
  new RegExp(
    String.raw`(?:[A-Z][a-z]{2}, )?(?<d>\d\d?)[ -](?<mon>[A-Z][a-z]{2})[ -](?<y>\d{4}) ${CLOCK}${ZONE}`,
    'y',
  ),
  // Wed Oct 11 14:32:52.123456 2000 (ctime, Apache error logs)
  new RegExp(
    String.raw`(?:[A-Z][a-z]{2} )?(?<mon>[A-Z][a-z]{2}) +(?<d>\d\d?) ${CLOCK}(?: UTC| GMT)? (?<y>\d{4})(?!\d)`,
    'y',
  ),
  // 20240501T120000Z, 20240501 12:00:00
  new RegExp(
    String.raw`(?<y>\d{4})(?<mo>\d\d)(?<d>\d\d)[T ](?<h>\d\d):?(?<m>\d\d):?(?<s>\d\d)(?:[.,](?<f>\d{1,9}))?${ZONE}`,
    'y',
  ),
]

/** The number of a month's English three-letter name, 1 to 12, or 0. */
export function monthNamed(name: string): number {
  return MONTHS.indexOf(name) + 1
}

/** The time at `at` in one of the styles above, or undefined. */
export function findStyledTime(text: string, at: number): FoundTime | undefined {
  for (const style of STYLES) {
    style.lastIndex = at
    const groups = style.exec(text)?.groups
    if (groups === undefined) continue
    const ts = timeOfGroups(groups)
    if (!Number.isNaN(ts)) return { ts, end: style.lastIndex }
  }
  return undefined
}

function timeOfGroups(groups: Record<string, string | undefined>): number {
  const month = groups['mon'] === undefined ? Number(groups['mo']) : monthNamed(groups['mon'])
  const midnight = dayMs(Number(groups['y']), month, Number(groups['d']))
  const local = midnight + timeMs(Number(groups['h']), Number(groups['m']), Number(groups['s']))
  const fraction = Number(`${groups['f'] ?? ''}000`.slice(0, 3))
  return local + fraction - offsetMs(groups['z'])
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/**
 * Milliseconds for a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told by its
 * size.
 */
export function timeOfNumber(number: number): number {
  if (!(number >= 0)) return Number.NaN
  // Half a microsecond on top: 1699999999.123 must not become …122 by the error of the multiplication.
  if (number < 1e11) return Math.floor(number * 1e3 + 5e-4)
  if (number < 1e14) return Math.floor(number)
  if (number < 1e17) return Math.floor(number / 1e3)
  return number < 1e20 ? Math.floor(number / 1e6) : Number.NaN
}

/** The time that a whole text is, in any style known here, or NaN. */
export function timeOfText(text: string): number {
  const iso = scanIso(text, 0)
  if (!Number.isNaN(iso) && isoEnd === text.length) return iso
  if (/^\d+(\.\d+)?$/.test(text)) return timeOfNumber(Number(text))
  const found = findStyledTime(text, 0)
  return found !== undefined && found.end === text.length ? found.ts : Number.NaN
}
