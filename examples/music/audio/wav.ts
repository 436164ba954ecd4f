/** Decodes WAV files that hold plain samples. */
import { BrokenFileError } from './broken.ts'
import type { Samples } from './passages.ts'

interface Format {
  readonly code: number
  readonly channels: number
  readonly sampleRate: number
  readonly bytes: number
}

const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe

/** @returns undefined where the samples are packed in a way of their own. @throws BrokenFileError */
export function decodeWav(file: Buffer): Samples | undefined {
  let format: Format | undefined
  for (let at = 12; at + 8 <= file.length;) {
    const name = file.toString('latin1', at, at + 4)
    const size = file.readUInt32LE(at + 4)
    const body = file.subarray(at + 8, at + 8 + size)
    if (name === 'data') {
      if (body.length < size) throw new BrokenFileError(`truncated: ${body.length} of ${size} bytes of sound`)
      if (format === undefined) throw new BrokenFileError('sound without its format')
      return samplesOf(body, format)
    }
    if (name === 'fmt ' && body.length >= 16) format = formatOf(body)
    at += 8 + size + (size % 2)
  }
  throw new BrokenFileError('truncated: the header ends before the sound')
}

function formatOf(body: Buffer): Format {
  const code = body.readUInt16LE(0)
  return {
    code: code === EXTENSIBLE && body.length >= 26 ? body.readUInt16LE(24) : code,
    channels: body.readUInt16LE(2),
    sampleRate: body.readUInt32LE(4),
    bytes: body.readUInt16LE(14) / 8,
  }
}

function samplesOf(body: Buffer, { code, channels, sampleRate, bytes }: Format): Samples | undefined {
  const read = reader(body, code, bytes)
  if (read === undefined || channels === 0 || sampleRate === 0) return undefined
  const length = Math.floor(body.length / (bytes * channels))
  const decoded = Array.from({ length: channels }, () => new Float32Array(length))
  for (const [channel, samples] of decoded.entries())
    for (let n = 0; n < length; n++) samples[n] = read((n * channels + channel) * bytes)
  return { sampleRate, channels: decoded }
}

function reader(body: Buffer, code: number, bytes: number): ((at: number) => number) | undefined {
  if (code === FLOAT && bytes === 4) return (at) => body.readFloatLE(at)
  if (code !== PCM) return undefined
  switch (bytes) {
    case 1:
      return (at) => (body.readUInt8(at) - 128) / 128
    case 2:
      return (at) => body.readInt16LE(at) / 2 ** 15
    case 3:
      return (at) => body.readIntLE(at, 3) / 2 ** 23
    case 4:
      return (at) => body.readInt32LE(at) / 2 ** 31
    default:
      return undefined
  }
}
