/** Where lines go: a database or a server. */
export interface Sink {
  /** Takes these lines, in this order, behind all before. Resolves when there is room for more. */
  write(lines: readonly string[]): Promise<void>
  /** Resolves when everything that was taken before the call is committed. */
  flush(): Promise<void>
  /** Ends it. @returns the lines that are not known to be committed in time; never rejects */
  close(): Promise<readonly string[]>
}
