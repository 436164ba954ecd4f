/** Decodes a file to samples, by what is in it and never by what it is called. A decoder is loaded when it is needed. */
import type { FLACDecoder } from '@wasm-audio-decoders/flac'
import type { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis'
import type { IAudioMetadata } from 'music-metadata'
import type { Samples } from './passages.ts'
import { decodeWav } from './wav.ts'

interface Decoded {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
}

/** @returns undefined for a format that is not decoded here. @throws BrokenFileError */
export async function decode(
  file: Buffer,
  { container, codec }: IAudioMetadata['format'],
): Promise<Samples | undefined> {
  if (container === 'WAVE') return decodeWav(file)
  if (container === 'MPEG') return samplesOf(await decodeMp3(file))
  if (container === 'FLAC') {
    const flac = await import('@wasm-audio-decoders/flac')
    return samplesOf(await decodeWith(new flac.FLACDecoder(), file))
  }
  if (container === 'Ogg' && codec?.startsWith('Vorbis')) {
    const ogg = await import('@wasm-audio-decoders/ogg-vorbis')
    return samplesOf(await decodeWith(new ogg.OggVorbisDecoder(), file))
  }
  return undefined
}

async function decodeMp3(file: Buffer): Promise<Decoded> {
  const { MPEGDecoder } = await import('mpg123-decoder')
  const decoder = new MPEGDecoder()
  try {
    await decoder.ready
    return decoder.decode(file)
  } finally {
    decoder.free()
  }
}

async function decodeWith(decoder: FLACDecoder | OggVorbisDecoder, file: Buffer): Promise<Decoded> {
  try {
    await decoder.ready
    return await decoder.decodeFile(file)
  } finally {
    decoder.free()
  }
}

function samplesOf({ channelData, samplesDecoded, sampleRate }: Decoded): Samples {
  return { sampleRate, channels: channelData.map((channel) => channel.subarray(0, samplesDecoded)) }
}
