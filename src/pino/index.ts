/**
 * `tidemark/pino`: a transport for pino, on pino's own thread.
 *
 *   pino ──shared memory──▶ split into lines ──▶ pump ──▶ log store on a file, or requests to a server
 *
 * Keeps: lines in their order. What has no room stays where it came from: the stream is not read on, and pino holds it;
 * or it goes into the fallback file, if there is one, after a while.
 */
import type { Transform } from 'node:stream'
import { workerData } from 'node:worker_threads'
import build from 'pino-abstract-transport'
import { systemRuntime } from '../runtime/system.ts'
import { DatabaseSink } from './database-sink.ts'
import { complain, Fallback } from './fallback.ts'
import { lineReader, type PinoConfig } from './lines.ts'
import { parsePinoOptions, type PinoSettings, type PinoTransportOptions } from './options.ts'
import { Pump } from './pump.ts'
import { ServerSink } from './server-sink.ts'
import type { Sink } from './sink.ts'

export type { PinoDatabaseOptions, PinoServerOptions, PinoTransportOptions } from './options.ts'

/** What pino tells its transports before the first line. */
interface Configured {
  readonly levels?: { readonly labels?: PinoConfig['labels'] }
  readonly messageKey?: string
}

/**
 * @throws TidemarkError `INVALID_OPTIONS`; StoreError when the database cannot be opened. pino emits it as the
 *   `error` of the transport.
 */
export default async function tidemarkTransport(options: PinoTransportOptions): Promise<Transform> {
  const settings = parsePinoOptions(options)
  const sink = await openSink(settings)
  const fallback = new Fallback(settings.fallbackFile)
  let pump: Pump | undefined
  const start = (source: Transform & Configured): void => {
    const { levels, messageKey } = source
    const config = { labels: levels?.labels, messageKey, timestampKey: settings.timestampKey }
    pump = new Pump(source, lineReader(definedOf(config)), sink, fallback, settings.closeTimeoutMs)
  }
  // A promise where pino is to tell its configuration first; its types say so for constants only.
  const stream = await Promise.resolve(
    build(start, {
      metadata: false,
      // An object, as the stream wants one; what is in the line is read where it goes.
      parseLine: (line) => ({ line }),
      ...(isToldConfig() && { expectPinoConfig: true }),
      close: async (error: Error | null) => {
        await pump?.ended
        fallback.keep(await sink.close(), 'could not be stored in time')
        if (error) throw error
      },
    }),
  )
  const flush = (done: (error?: Error) => void): void => {
    const flushed = pump?.flush() ?? Promise.resolve()
    flushed.then(() => done(), done)
  }
  return Object.assign(stream, { flush })
}

async function openSink(settings: PinoSettings): Promise<Sink> {
  if ('url' in settings) return new ServerSink(settings, systemRuntime, complain)
  return await DatabaseSink.open(settings, settings.closeTimeoutMs, systemRuntime)
}

/** Only as a target of pino; as a stream of somebody else nobody tells. */
function isToldConfig(): boolean {
  const data = workerData as { workerData?: { pinoWillSendConfig?: boolean } } | null
  return data?.workerData?.pinoWillSendConfig === true
}

function definedOf(config: { [Name in keyof PinoConfig]: PinoConfig[Name] | undefined }): PinoConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}
