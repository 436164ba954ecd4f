/** The few calls that the example makes, so that types check before its packages are installed. */
declare module 'music-metadata' {
  export interface IAudioMetadata {
    readonly format: {
      readonly container?: string
      readonly codec?: string
      /** In seconds. */
      readonly duration?: number
    }
    readonly common: {
      readonly title?: string
      readonly artist?: string
      readonly albumartist?: string
      readonly album?: string
      readonly year?: number
      readonly track: { readonly no: number | null }
    }
  }
  export function parseBuffer(
    bytes: Uint8Array,
    fileInfo?: undefined,
    options?: { readonly duration?: boolean; readonly skipCovers?: boolean },
  ): Promise<IAudioMetadata>
}

declare module 'mpg123-decoder' {
  export class MPEGDecoder {
    readonly ready: Promise<void>
    decode(bytes: Uint8Array): {
      readonly channelData: readonly Float32Array[]
      readonly samplesDecoded: number
      readonly sampleRate: number
    }
    free(): void
  }
}

declare module '@wasm-audio-decoders/flac' {
  export class FLACDecoder {
    readonly ready: Promise<void>
    decodeFile(bytes: Uint8Array): Promise<{
      readonly channelData: readonly Float32Array[]
      readonly samplesDecoded: number
      readonly sampleRate: number
    }>
    free(): void
  }
}

declare module '@wasm-audio-decoders/ogg-vorbis' {
  export class OggVorbisDecoder {
    readonly ready: Promise<void>
    decodeFile(bytes: Uint8Array): Promise<{
      readonly channelData: readonly Float32Array[]
      readonly samplesDecoded: number
      readonly sampleRate: number
    }>
    free(): void
  }
}

declare module 'wasm-media-encoders' {
  export type Quality = { readonly vbrQuality: number } | { readonly bitrate: number }
  export interface Encoder {
    configure(options: { readonly sampleRate: number; readonly channels: 1 | 2 } & Quality): void
    /** What it returns is gone with the next call. */
    encode(channels: readonly Float32Array[]): Uint8Array
    finalize(): Uint8Array
  }
  export function createMp3Encoder(): Promise<Encoder>
  export function createOggEncoder(): Promise<Encoder>
}
