/** The few calls that the example makes, so that types check before its packages are installed. */
declare module 'compromise' {
  interface View {
    people(): View
    places(): View
    organizations(): View
    out(format: 'array'): string[]
  }
  const nlp: (text: string) => View
  export default nlp
}

declare module 'marked' {
  export const marked: { parse(markdown: string, options: { readonly async: false }): string }
}

declare module 'node-html-parser' {
  export interface HTMLElement {
    /** Blocks on lines of their own. */
    readonly structuredText: string
    readonly text: string
    querySelector(selector: string): HTMLElement | null
    querySelectorAll(selector: string): HTMLElement[]
    remove(): unknown
  }
  export function parse(
    html: string,
    options?: { readonly blockTextElements?: Readonly<Record<string, boolean>> },
  ): HTMLElement
}
