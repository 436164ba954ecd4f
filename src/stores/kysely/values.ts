import type { Value } from '../../contracts/values.ts'

/** Drivers know a Buffer; a plain Uint8Array only some. */
export function asBuffer(value: Value): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** A Date was accepted as text: for a column of dates it is one again, since the driver says in which zone it is written. */
export function isInstant(value: Value): value is string {
  return typeof value === 'string' && instant.test(value)
}
