/** What `/metrics` of the dashboard says of the connections for reads. */
export interface Readers {
  readonly open: number
  /** How many there may be now. */
  readonly limit: number
  readonly max: number
  /** Reads that found none free, since the process was started. */
  readonly waits: number
}

export async function readersIn(dashboard: string): Promise<Readers> {
  const text = await (await fetch(`${dashboard}/metrics`)).text()
  const valueOf = (name: string): number => {
    const [, value] = new RegExp(`^tidemark_readers_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text) ?? []
    if (value === undefined) throw new Error(`${dashboard}/metrics has no tidemark_readers_${name}`)
    return Number(value)
  }
  return {
    open: valueOf('open'),
    limit: valueOf('limit'),
    max: valueOf('max'),
    waits: valueOf('waits_total'),
  }
}
