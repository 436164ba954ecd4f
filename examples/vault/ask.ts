/** `npm run vault -- status|search|related`: asks the watcher, or the files of a vault that nobody watches. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { askWatcher, watcherOf, type Questions } from './ask/client.ts'
import { searchText, statusText } from './ask/text.ts'
import { isLevel } from './ask/level.ts'
import { fromCaller } from './caller.ts'
import type { Place } from './place.ts'
import { stateOf } from './state-folder.ts'

export interface AskCommand extends Place {
  readonly question: 'status' | 'search' | 'related'
  readonly about: string
  readonly consistency: string
  readonly timeoutMs: number
  readonly json: boolean
}

/** @returns 0; 3 where there is no answer as fresh as was asked for */
export async function ask({
  question,
  about,
  consistency,
  timeoutMs,
  json,
  ...place
}: AskCommand): Promise<number> {
  if (!isLevel(consistency)) throw new Error('--consistency is eventual, readAfterWrite or strong.')
  const options = { consistency, timeoutMs }
  const subject = question === 'search' ? about : noteIn(place.folder, about)
  return await withQuestions(place, async (questions) => {
    if (question === 'status') {
      const answer = await questions.status(subject, options)
      console.log(json ? JSON.stringify(answer) : statusText(answer))
      return answer.stale === undefined ? 0 : 3
    }
    const answer = await questions[question](subject, options)
    console.log(json ? JSON.stringify(answer) : searchText(answer))
    return answer.stale === undefined ? 0 : 3
  })
}

async function withQuestions<T>(place: Place, work: (questions: Questions) => Promise<T>): Promise<T> {
  const watcher = await watcherOf(stateOf(place), place.folder)
  if (watcher) return await work(askWatcher(watcher))
  const { Asking } = await import('./ask/ask.ts')
  const { Vault } = await import('./pipeline/vault.ts')
  // Not under the watcher's name: one that begins meanwhile is not to be shut out.
  const vault = await Vault.open({ ...place, writer: `ask-${process.pid}`, ofAnother: 'refuse' })
  try {
    console.error(
      'Nobody watches this folder: what was saved since is seen by what names it, and by the next watch.',
    )
    return await work(new Asking(vault))
  } finally {
    await vault.close()
  }
}

/** A note is named by its path below the folder; where that is no file, as seen from here. */
function noteIn(folder: string, given: string): string {
  const file = fromCaller(given)
  const fromHere = path.relative(folder, file)
  const isBelow = !fromHere.startsWith('..') && !existsSync(path.join(folder, given)) && existsSync(file)
  return (isBelow ? fromHere : path.normalize(given)).split(path.sep).join('/')
}
