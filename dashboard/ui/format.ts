/** Numbers, sizes, times and durations as a person reads them. Units come behind a thin space, for `splitUnit`. */

const NARROW_SPACE = '\u202F'
const MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

/** Three significant digits at most: 0.42, 4.2, 42, 420. */
function short(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 99.95) return String(Math.round(value))
  const digits = size >= 9.995 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value
  let unit = 0
  while (Math.abs(rest) >= step * 0.9995 && unit < units.length - 1) {
    rest /= step
    unit += 1
  }
  const name = units[unit] ?? ''
  return name === '' ? short(rest) : `${short(rest)}${NARROW_SPACE}${name}`
}

/** 0, 999, 1.2 k, 3.45 M. Below ten thousand every digit is shown. */
export function formatCount(value: number): string {
  if (Math.abs(value) < 10_000) return grouped(value)
  return scaled(value, 1_000, ['', 'k', 'M', 'G', 'T'])
}

/** A count with every digit, for where there is room: 1,234,567. */
export function grouped(value: number): string {
  const rounded =
    Math.abs(value) >= 10 || Number.isInteger(value) ? Math.round(value) : Number(value.toFixed(1))
  return rounded.toLocaleString('en-US')
}

export function formatBytes(value: number): string {
  return scaled(value, 1_000, ['B', 'kB', 'MB', 'GB', 'TB'])
}

/** 0.42 ms, 38 ms, 1.2 s, 3 min, 2 h, 5 d. */
export function formatMs(value: number): string {
  const [amount, unit] =
    value < MS.second * 0.9995
      ? [value, 'ms']
      : value < MS.minute * 2
        ? [value / MS.second, 's']
        : value < MS.hour * 2
          ? [Math.round(value / MS.minute), 'min']
          : value < MS.day * 2
            ? [Math.round(value / MS.hour), 'h']
            : [Math.round(value / MS.day), 'd']
  return `${short(amount)}${NARROW_SPACE}${unit}`
}

/** The figure and its unit, so that the unit can be set smaller. */
export function splitUnit(text: string): readonly [figure: string, unit: string] {
  const at = text.indexOf(NARROW_SPACE)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const two = (value: number): string => String(value).padStart(2, '0')

/** 14:03:22, in the reader's own zone. */
export function formatTime(ms: number): string {
  const at = new Date(ms)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** 14:03:22.071 */
export function formatExactTime(ms: number): string {
  return `${formatTime(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`
}

/** 23 Nov, or 23 Nov 2025 when that is not the year it is. */
export function formatDay(ms: number, nowMs: number): string {
  const at = new Date(ms)
  const isThisYear = at.getFullYear() === new Date(nowMs).getFullYear()
  const day = `${at.getDate()} ${at.toLocaleString('en-GB', { month: 'short' })}`
  return isThisYear ? day : `${day} ${at.getFullYear()}`
}

export function isSameDay(ms: number, otherMs: number): boolean {
  return new Date(ms).toDateString() === new Date(otherMs).toDateString()
}
