import type { Consistency } from '../tidemark.ts'

export function isLevel(name: string): name is Consistency {
  return name === 'eventual' || name === 'readAfterWrite' || name === 'strong'
}
