/**
 * What an SQLSTATE means for the write that met it:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html. Classes first, then the codes that differ from
 * their class.
 */
import type { StoreFailure } from '../errors.ts'
import type { Failure } from './dialect.ts'
import { codeOf, driverFailure } from './failure.ts'

type Class = Exclude<StoreFailure, 'chain'>

const classes: Readonly<Record<string, Class>> = {
  '08': 'transient', // connection
  '25': 'transient', // transaction state: also a standby that was promoted, or the other way round
  '26': 'transient', // a prepared statement that is gone
  '28': 'fatal', // who are you
  '40': 'transient', // serialization, deadlock
  '53': 'transient', // disk full, out of memory, too many connections
  '55': 'transient', // locks that could not be had
  '57': 'transient', // cancelled, shutting down
  '58': 'transient', // input and output
  '3D': 'fatal', // no such database
  '3F': 'fatal', // no such schema
  XX: 'fatal', // internal, corrupted
}
const codes: Readonly<Record<string, Class>> = {
  '08P01': 'rejected', // parameters that do not fit the statement
  '40002': 'rejected', // a constraint
  '55000': 'rejected',
  '57P04': 'fatal', // the database was dropped
  XX000: 'rejected', // what extensions say when they are given a value that they cannot read
}

const hints: Readonly<Record<string, string>> = {
  '25006': 'The server takes no writes: is it a standby? The write is tried again until it does.',
  '53100': 'The disk of the server is full; the write is tried again until there is room.',
}

export function classifyPostgres(error: unknown): Failure {
  const code = codeOf(error)
  const lost = driverFailure(error)
  if (lost) return lost
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    // Thrown by the driver before the server saw it: a value that it cannot write as the type asked for.
    return { failure: 'rejected', code: '22P02', isViolation: false }
  }
  const hint = hints[code]
  return {
    failure: codes[code] ?? classes[code.slice(0, 2)] ?? 'rejected',
    code,
    isViolation: code.startsWith('23'),
    ...(hint === undefined ? {} : { hint }),
  }
}
