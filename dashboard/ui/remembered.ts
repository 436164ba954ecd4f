/** What the browser remembers for the page. One that may not remember anything runs the page all the same. */

type Memory = 'localStorage' | 'sessionStorage'

export function recall(memory: Memory, key: string): string | undefined {
  try {
    return window[memory].getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function remember(memory: Memory, key: string, value: string): void {
  try {
    window[memory].setItem(key, value)
  } catch {
    // It holds until the page is closed.
  }
}
