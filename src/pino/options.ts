/** The options of the transport. They cross a thread, so they are plain data; every problem is told at once. */
import { TidemarkError } from '../errors.ts'
import type { Retention } from '../logs/index.ts'

interface CommonOptions {
  /** Where pino was told to write the time, if not under `time`. */
  readonly timestampKey?: string
  /** When the logger ends, how long lines may take to their place, in ms. Default 5,000; pino itself waits 10,000. */
  readonly closeTimeoutMs?: number
  /** A file that the lines are added to that could not be brought to their place in that time. */
  readonly fallbackFile?: string
}

export interface PinoDatabaseOptions extends CommonOptions {
  /** An SQLite file, written by the log store on pino's own thread. */
  readonly database: string
  /** Default `logs`. */
  readonly table?: string
  /** What the log store deletes by itself. Default: nothing. */
  readonly retention?: Retention & { readonly everyMs?: number }
}

export interface PinoServerOptions extends CommonOptions {
  /** A Tidemark server, such as `http://127.0.0.1:7373`. */
  readonly url: string
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string
  /** How long lines wait for company before they are sent, in ms. Default 100. */
  readonly lingerMs?: number
  /** Lines that may wait for the server; beyond them pino is held back. Default 10,000. */
  readonly maxLines?: number
  /** The same in characters. Default 16,000,000. */
  readonly maxCharacters?: number
  /** How long one request may take before it is sent again, in ms. Default 30,000. */
  readonly requestTimeoutMs?: number
}

export type PinoTransportOptions = PinoDatabaseOptions | PinoServerOptions

export interface PinoDefaults {
  readonly closeTimeoutMs: number
  readonly lingerMs: number
  readonly maxLines: number
  readonly maxCharacters: number
  readonly requestTimeoutMs: number
}

export const PINO_DEFAULTS: PinoDefaults = Object.freeze({
  closeTimeoutMs: 5_000,
  lingerMs: 100,
  maxLines: 10_000,
  maxCharacters: 16_000_000,
  requestTimeoutMs: 30_000,
})

export type PinoSettings = PinoDefaults & PinoTransportOptions

const common = ['timestampKey', 'closeTimeoutMs', 'fallbackFile']
const ofDatabase = ['database', 'table', 'retention', ...common]
const ofServer = ['url', 'token', 'lingerMs', 'maxLines', 'maxCharacters', 'requestTimeoutMs', ...common]
/** pino adds these itself. */
const ofPino = ['$context', 'pinoWillSendConfig', 'levels', 'dedupe']

const texts = ['database', 'url', 'table', 'token', 'timestampKey', 'fallbackFile']

/** @throws TidemarkError `INVALID_OPTIONS` */
export function parsePinoOptions(given: unknown): PinoSettings {
  const options = typeof given === 'object' && given !== null ? given : {}
  const isServer = 'url' in options
  const known = isServer ? ofServer : ofDatabase
  const problems = Object.keys(options)
    .filter((name) => ![...known, ...ofPino].includes(name))
    .map((name) => `${name} is not an option here (options: ${known.join(', ')})`)
  if (isServer === 'database' in options)
    problems.push('either database, an SQLite file, or url, a Tidemark server, must be given')
  for (const [name, value] of Object.entries(options)) {
    if (texts.includes(name) && (typeof value !== 'string' || value === ''))
      problems.push(`${name} must be a text, not ${JSON.stringify(value)}`)
    if (name in PINO_DEFAULTS && !(typeof value === 'number' && value >= 0))
      problems.push(`${name} must be a number of at least 0, not ${JSON.stringify(value)}`)
  }
  if ('url' in options && !isHttpUrl(options.url))
    problems.push(`url must begin with http:// or https://, not be ${JSON.stringify(options.url)}`)
  if (problems.length > 0)
    throw new TidemarkError('INVALID_OPTIONS', `invalid options of tidemark/pino: ${problems.join('; ')}.`)
  // Parsed: what is absent has its default.
  return { ...PINO_DEFAULTS, ...(options as PinoTransportOptions) }
}

function isHttpUrl(url: unknown): boolean {
  return typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}
