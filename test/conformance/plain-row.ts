/** A driver's row with numbers where they are exact and bytes without the driver's class: what assertions compare. */
export function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}
