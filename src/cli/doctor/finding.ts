/** What a check found, and what to do about it. */
export type Status = 'ok' | 'warn' | 'FAIL'

export interface Finding {
  readonly status: Status
  /** What was looked at. */
  readonly name: string
  readonly finding: string
  /** What to do, in sentences; undefined when all is well. */
  readonly advice: string | undefined
}

export function ok(name: string, finding: string): Finding {
  return { status: 'ok', name, finding, advice: undefined }
}

export function warn(name: string, finding: string, advice: string): Finding {
  return { status: 'warn', name, finding, advice }
}

export function fail(name: string, finding: string, advice: string): Finding {
  return { status: 'FAIL', name, finding, advice }
}

export function textOf(findings: readonly Finding[]): string {
  return findings
    .map(({ status, name, finding, advice }) => {
      const line = `${status.padEnd(4)}  ${name}: ${finding}\n`
      return advice === undefined ? line : `${line}      → ${advice}\n`
    })
    .join('')
}

export function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, unit] = [count, 0]
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}
