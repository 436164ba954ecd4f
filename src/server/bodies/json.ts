/** A JSON body: held whole, and so within limits of size, depth and time before it is parsed. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Runtime } from '../../contracts/runtime.ts'
import type { Limits } from '../limits.ts'
import { RequestError } from '../request-error.ts'
import { encodingOf, piecesOf } from './pieces.ts'

/** @throws RequestError */
export async function readText(body: IncomingMessage, limits: Limits, runtime: Runtime): Promise<string> {
  const encoding = encodingOf(body)
  const { bodyBytes, bodyMs, jsonDepth } = limits
  if (Number(body.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge(bodyBytes)
  const deadlineMs = runtime.monotonicMs() + bodyMs
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of piecesOf(body, encoding, bodyMs, runtime)) {
    bytes += piece.length
    if (bytes > bodyBytes) throw tooLarge(bodyBytes)
    if (runtime.monotonicMs() > deadlineMs)
      throw new RequestError('REQUEST_TIMEOUT', `The body had not come after ${bodyMs} ms.`, {
        headers: { connection: 'close' },
      })
    pieces.push(piece)
  }
  const whole = Buffer.concat(pieces, bytes)
  if (!isUtf8(whole)) throw new RequestError('BAD_REQUEST', 'The body is not UTF-8.')
  if (isDeeper(whole, jsonDepth))
    throw new RequestError('BAD_REQUEST', `The body has more than ${jsonDepth} brackets within each other.`)
  const text = whole.toString('utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function tooLarge(bytes: number): RequestError {
  return new RequestError('BODY_TOO_LARGE', `A JSON body may have ${bytes} bytes, unpacked.`, {
    hint: 'Send it in pieces, or as application/x-ndjson, which has no limit.',
  })
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Counts brackets outside of texts: what is too deep must not be parsed to find that out. */
function isDeeper(json: Buffer, depth: number): boolean {
  let open = 0
  for (let index = 0; index < json.length; index++) {
    const byte = json[index] ?? 0
    if (byte === quote) index = endOfText(json, index)
    else if (byte === openBracket || byte === openBrace) {
      if (++open > depth) return true
    } else if (byte === closeBracket || byte === closeBrace) open--
  }
  return false
}

/** Where the text that begins at `start` ends; most of a body is texts, so their end is searched for. */
function endOfText(json: Buffer, start: number): number {
  for (let end = json.indexOf(quote, start + 1); end >= 0; end = json.indexOf(quote, end + 1)) {
    let slashes = 0
    while (json[end - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return json.length
}
