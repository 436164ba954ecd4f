/** What the commands that ask the API print. */
import { ApiError, type ApiClient, type SearchAnswer } from '../client.ts'
import { documentsIn } from '../site.ts'
import type { Consistency } from '../tidemark.ts'

const atOnce = 100

/** Everything in the folder of the workers, or what is named. @returns the project */
export async function submit(
  api: ApiClient,
  { folder, project, uris }: { folder: string; project: number | undefined; uris: readonly string[] },
): Promise<number> {
  const to = project ?? (await api.createProject(folder))
  const all = uris.length > 0 ? uris : await documentsIn(folder)
  if (all.length === 0) throw new Error(`There is no document in "${folder}".`)
  for (let from = 0; from < all.length; from += atOnce) {
    const some = all.slice(from, from + atOnce)
    const { sources } = await patiently(() => api.submit(to, some))
    for (const { id, uri } of sources) console.log(`${id} ${uri}`)
  }
  console.log(`project ${to}: ${all.length} submitted`)
  return to
}

export async function search(
  api: ApiClient,
  project: number,
  words: string,
  consistency: Consistency,
): Promise<void> {
  const { hits, outdated }: SearchAnswer = await api.search(project, words, { consistency })
  for (const { uri, title, summary, distance } of hits)
    console.log(
      `${(1 - distance).toFixed(3)} ${uri}: ${title}${summary === null ? '' : `\n      ${summary}`}`,
    )
  if (hits.length === 0) console.log('nothing found')
  if (outdated > 0) console.log(`${outdated} left out, since their rows say otherwise by now`)
}

/** Waits as long as a server that has too much asks for. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfterMs === undefined) throw error
      await new Promise((waited) => setTimeout(waited, error.retryAfterMs))
    }
  }
}
