/** `npm run extraction -- strong`: whoever submits and asks at once, with `strong`, finds the document by search, every time. */
import type { ApiClient } from '../client.ts'
import { madeDocument } from '../made.ts'
import { patiently } from './ask.ts'

export interface StrongTally {
  readonly tries: number
  readonly found: number
  /** From the answer to the submission to the answer to the search, in ms, in their order. */
  readonly tookMs: readonly number[]
}

export async function strongTries(
  api: ApiClient,
  { site, tries, seed }: { readonly site: string; readonly tries: number; readonly seed: number },
): Promise<StrongTally> {
  const project = await api.createProject(`strong, seed ${seed}`)
  const tookMs: number[] = []
  let found = 0
  for (let n = 0; n < tries; n++) {
    const { title, own } = madeDocument(seed, n)
    const uri = `${site}/made/${seed}/${n}.${n % 2 === 0 ? 'html' : 'md'}`
    const { bookmark, sources } = await patiently(() => api.submit(project, [uri]))
    const startedMs = performance.now()
    const id = sources[0]?.id ?? ''
    // By turns: the sources that are named, and all that was submitted to the project.
    const named = n % 4 < 2 ? { sources: id } : {}
    const query = { consistency: 'strong', after: bookmark, timeoutMs: 60_000, ...named } as const
    const { hits } = await api.search(project, `${title} ${own}`, query)
    tookMs.push(performance.now() - startedMs)
    if (hits.some((hit) => hit.id === id)) found++
    else console.error(`not found: ${uri}`)
  }
  return { tries, found, tookMs: tookMs.toSorted((a, b) => a - b) }
}

export function strongText({ tries, found, tookMs }: StrongTally): string {
  const at = (share: number): string => (tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0).toFixed(0)
  return `${tries} tries, found by search right after: ${found}; waited p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, at most ${at(1)} ms`
}
