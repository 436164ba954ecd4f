/** The few calls that the example makes, so that types check before its packages are installed. */
declare module 'tesseract.js' {
  interface Line {
    readonly text: string
    readonly baseline: { readonly y0: number }
  }
  interface Page {
    readonly confidence: number
    readonly blocks: readonly { readonly paragraphs: readonly { readonly lines: readonly Line[] }[] }[] | null
  }
  export interface Worker {
    recognize(
      image: string,
      options: object,
      output: { readonly blocks: boolean; readonly text: boolean },
    ): Promise<{ readonly data: Page }>
    terminate(): Promise<unknown>
  }
  export function createWorker(
    language: string,
    engine: number,
    options: { readonly langPath: string; readonly cacheMethod: 'none'; readonly gzip: boolean },
  ): Promise<Worker>
}
declare module '@resvg/resvg-wasm' {
  export function initWasm(module: Uint8Array): Promise<void>
  export class Resvg {
    constructor(
      svg: string,
      options: {
        readonly font: { readonly fontBuffers: readonly Uint8Array[]; readonly defaultFontFamily: string }
      },
    )
    render(): { asPng(): Uint8Array }
  }
}
