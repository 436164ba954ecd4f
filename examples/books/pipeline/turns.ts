/** A stage's work in slices, so that other books, commits and requests have their turn in between. */
import { setImmediate as turn } from 'node:timers/promises'

const sliceMs = 8

export async function inSlices<T>(
  items: Iterable<T> | AsyncIterable<T>,
  use: (item: T) => void,
): Promise<void> {
  let since = performance.now()
  for await (const item of items) {
    use(item)
    if (performance.now() - since < sliceMs) continue
    await turn()
    since = performance.now()
  }
}
