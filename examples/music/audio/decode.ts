/** Decodes a file to samples, by what is in it and never by what it is called. */
import { FLACDecoder } from '@wasm-audio-decoders/flac'
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis'
import { MPEGDecoder } from 'mpg123-decoder'
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
  if (container === 'FLAC') return samplesOf(await decodeWith(new FLACDecoder(), file))
  if (container === 'Ogg' && codec?.startsWith('Vorbis'))
    return samplesOf(await decodeWith(new OggVorbisDecoder(), file))
  return undefined
}

async function decodeMp3(file: Buffer): Promise<Decoded> {
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
