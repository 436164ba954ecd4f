/**
 * OTLP over HTTP with JSON bodies, as OpenTelemetry SDKs send it:
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp and opentelemetry/proto/logs/v1/logs.proto. A record that
 * cannot be read is counted and never fails its neighbours.
 */
import { isObject } from '../json-object.ts'
import type { Level, LogRow } from '../logs/index.ts'
import { RequestError } from './request-error.ts'

export interface OtlpLogs {
  readonly rows: readonly LogRow[]
  readonly rejected: number
  /** Why the first of them was. */
  readonly firstError: string | undefined
}

type Fields = Readonly<Record<string, unknown>>
type Attributes = Record<string, unknown>

/** @throws RequestError when it is no export request at all */
export function parseOtlp(body: unknown, nowMs: number): OtlpLogs {
  if (!isObject(body) || !isListOrAbsent(body['resourceLogs']))
    throw new RequestError(
      'INVALID_BODY',
      'The body is no ExportLogsServiceRequest: it has no list `resourceLogs`.',
      {
        hint: 'Lines of JSON are application/x-ndjson.',
      },
    )
  const rows: LogRow[] = []
  let rejected = 0
  let firstError: string | undefined
  for (const { record, context } of recordsOf(body)) {
    const row = isObject(record) ? rowOf(record, context, nowMs) : 'a log record is no object'
    if (typeof row !== 'string') rows.push(row)
    else {
      rejected++
      firstError ??= row
    }
  }
  return { rows, rejected, firstError }
}

interface Context {
  readonly service: string | null
  readonly attributes: Attributes
}

function* recordsOf(body: Fields): Generator<{ record: unknown; context: Context }> {
  for (const resourceLogs of objectsOf(body['resourceLogs'])) {
    const resource = isObject(resourceLogs['resource'])
      ? attributesOf(resourceLogs['resource']['attributes'])
      : newAttributes()
    const name = resource['service.name']
    const service = typeof name === 'string' && name.isWellFormed() ? name : null
    if (service !== null) delete resource['service.name']
    for (const scopeLogs of objectsOf(resourceLogs['scopeLogs'])) {
      const context = {
        service,
        attributes: { ...named('resource', resource), ...named('scope', scopeOf(scopeLogs['scope'])) },
      }
      const records = scopeLogs['logRecords']
      for (const record of Array.isArray(records) ? (records as unknown[]) : []) yield { record, context }
    }
  }
}

function scopeOf(scope: unknown): Attributes {
  if (!isObject(scope)) return newAttributes()
  const { name, version, attributes } = scope
  return { ...filled({ name, version }), ...attributesOf(attributes) }
}

function rowOf(record: Fields, context: Context, nowMs: number): LogRow | string {
  const ts = timeOf(record['timeUnixNano']) ?? timeOf(record['observedTimeUnixNano']) ?? nowMs
  if (typeof ts === 'string') return ts
  const { severityNumber, severityText, traceId, spanId, flags, eventName, body } = record
  const value = valueOf(body)
  const message =
    typeof value === 'string' ? value : value === null ? textOf(eventName) : JSON.stringify(value)
  const level = levelOf(severityNumber, severityText)
  const attributes: Attributes = {
    ...context.attributes,
    ...attributesOf(record['attributes']),
    ...filled({ traceId, spanId, eventName }),
    ...(typeof flags === 'number' && flags !== 0 ? { flags } : {}),
    // A name that says more than the level, such as NOTICE or WARN2, is kept beside it.
    ...(typeof severityText === 'string' && severityText !== '' && severityText.toLowerCase() !== level
      ? { severityText }
      : {}),
  }
  return {
    ts,
    level,
    service: context.service,
    message: message.toWellFormed(),
    attributes: Object.keys(attributes).length === 0 ? null : JSON.stringify(attributes),
  }
}

const nanosPerMs = 1_000_000n
/** What a Date can hold. */
const maxMs = 8_640_000_000_000_000n

/** 0 means unknown. @returns a text when it is no time */
function timeOf(nanos: unknown): number | string | undefined {
  if (nanos === undefined || nanos === null || nanos === '' || nanos === '0' || nanos === 0) return undefined
  const isTime = typeof nanos === 'number' ? Number.isInteger(nanos) && nanos > 0 : isDigits(nanos)
  if (!isTime) return 'timeUnixNano is no number of nanoseconds'
  const ms = BigInt(nanos as number | string) / nanosPerMs
  return ms > maxMs ? 'timeUnixNano is beyond all calendars' : Number(ms)
}

const levels: readonly Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const levelsOfText: Readonly<Record<string, Level>> = {
  warning: 'warn',
  err: 'error',
  critical: 'fatal',
  information: 'info',
}
const numbersPerLevel = 4

/** 1–4 are TRACE to TRACE4, and so on to 21–24, FATAL: the specification's table of severity numbers. */
function levelOf(number: unknown, text: unknown): Level {
  const byNumber =
    typeof number === 'number' && number >= 1 ? levels[Math.floor((number - 1) / numbersPerLevel)] : undefined
  if (byNumber !== undefined) return byNumber
  const name = typeof text === 'string' ? text.toLowerCase().replace(/\d$/, '') : ''
  return (
    levels.find((level) => level === name) ??
    (Object.hasOwn(levelsOfText, name) ? levelsOfText[name] : undefined) ??
    'info'
  )
}

/** An AnyValue as plain JSON. Bytes stay the base64 that they came as; integers that a number cannot hold, a text. */
function valueOf(any: unknown): unknown {
  if (!isObject(any)) return null
  if (typeof any['stringValue'] === 'string') return any['stringValue']
  if (typeof any['boolValue'] === 'boolean') return any['boolValue']
  if ('intValue' in any) return integerOf(any['intValue'])
  if ('doubleValue' in any) return any['doubleValue']
  if (typeof any['bytesValue'] === 'string') return any['bytesValue']
  if (isObject(any['arrayValue'])) return listOf(any['arrayValue']['values']).map(valueOf)
  if (isObject(any['kvlistValue'])) return attributesOf(any['kvlistValue']['values'])
  return null
}

function integerOf(value: unknown): unknown {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

/** A list of `{ key, value }` as an object. Without a prototype, `__proto__` is a name like any other. */
function attributesOf(list: unknown): Attributes {
  const attributes = newAttributes()
  for (const pair of objectsOf(list))
    if (typeof pair['key'] === 'string') attributes[pair['key']] = valueOf(pair['value'])
  return attributes
}

function newAttributes(): Attributes {
  return Object.create(null) as Attributes
}

function named(name: string, attributes: Attributes): Attributes {
  return Object.keys(attributes).length === 0 ? {} : { [name]: attributes }
}

function filled(fields: Fields): Attributes {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => typeof value === 'string' && value !== ''),
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

function objectsOf(value: unknown): Fields[] {
  return listOf(value).filter(isObject)
}

function isDigits(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,20}$/.test(value)
}

function isListOrAbsent(value: unknown): boolean {
  return value === undefined || Array.isArray(value)
}
