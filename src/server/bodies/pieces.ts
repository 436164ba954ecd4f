/**
 * The bytes of a body as they come, unpacked where they are packed.
 *
 * Keeps: nothing is read before somebody asks for it, so a slow reader is a slow sender; and a sender that says
 * nothing for too long is let go.
 */
import type { IncomingMessage } from 'node:http'
import { createGunzip } from 'node:zlib'
import type { Runtime } from '../../contracts/runtime.ts'
import { RequestError } from '../request-error.ts'

export type Encoding = 'identity' | 'gzip'

/** @throws RequestError for an encoding that nobody unpacks */
export function encodingOf({ headers }: IncomingMessage): Encoding {
  const given = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (given === 'identity') return 'identity'
  if (given === 'gzip' || given === 'x-gzip') return 'gzip'
  throw new RequestError(
    'UNSUPPORTED_MEDIA_TYPE',
    'The body is packed in a way that this server does not unpack.',
    {
      hint: 'Send it as it is, or with `Content-Encoding: gzip`.',
      headers: { 'accept-encoding': 'gzip, identity' },
    },
  )
}

/** @throws RequestError when it stops coming, ends early, or is not what its encoding says */
export async function* piecesOf(
  body: IncomingMessage,
  encoding: Encoding,
  idleMs: number,
  runtime: Runtime,
): AsyncGenerator<Buffer, void, undefined> {
  const source = encoding === 'gzip' ? body.pipe(createGunzip()) : body
  // What breaks the body must reach whoever reads what was unpacked of it.
  const breakOff = (): void => void (body.complete || source.destroy(new Error('the body ended early')))
  if (source !== body) body.once('close', breakOff)
  const pieces = source.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  try {
    for (;;) {
      const next = await within(idleMs, runtime, pieces.next())
      if (next.done === true) return
      yield next.value
    }
  } catch (error) {
    throw error instanceof RequestError ? error : broken(error)
  } finally {
    body.off('close', breakOff)
    void pieces.return?.()
    if (source !== body) {
      body.unpipe(source as ReturnType<typeof createGunzip>)
      source.destroy()
    }
    // What nobody will read is let through: else the connection could never be used again.
    body.resume()
  }
}

async function within<T>(ms: number, runtime: Runtime, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = runtime.after(ms, () =>
    late.reject(
      new RequestError('REQUEST_TIMEOUT', `No more of the body came for ${ms} ms.`, {
        headers: { connection: 'close' },
      }),
    ),
  )
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    timer.cancel()
  }
}

function broken(error: unknown): RequestError {
  const isPacking = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
  return isPacking
    ? new RequestError('BAD_REQUEST', 'The body says that it is gzip, and is not.')
    : new RequestError('BAD_REQUEST', 'The body ended early.', { headers: { connection: 'close' } })
}
