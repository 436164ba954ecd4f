/** What makes vectors of texts: a model, or what stands for one. */
export interface Embedder {
  /** Vectors of embedders of different names cannot be compared. */
  readonly name: string
  readonly dimensions: number
  /**
   * @param isUrgent somebody waits for it: before what was asked for in the background
   * @returns one vector a text, in their order
   * @throws EmbedderUnavailable when it is no text's fault: it is asked again later. Anything else: one of these texts
   *   cannot be embedded
   */
  embed(texts: readonly string[], signal: AbortSignal, isUrgent?: boolean): Promise<readonly Float32Array[]>
  close(): Promise<void>
}

export class EmbedderUnavailable extends Error {}
