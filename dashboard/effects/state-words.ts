/** In a word, how it is with a kind of effects, and whether somebody should look into it. */
import type { EffectKind } from '../api/answers.ts'

export interface StateWords {
  readonly words: string
  readonly tone: 'calm' | 'warn' | 'bad'
}

export function stateOf({ isPaused, handler, lanes, held, queued, waiting }: EffectKind): StateWords {
  const isWaiting = queued + waiting > 0
  if (isPaused) return { words: 'Paused', tone: isWaiting ? 'warn' : 'calm' }
  if (handler?.isDown) return { words: 'Target down', tone: 'bad' }
  if (lanes === 0 || held < lanes)
    return {
      words: held === 0 ? 'Nobody handles it' : `${held} of ${lanes} lanes held`,
      tone: isWaiting ? 'bad' : 'calm',
    }
  return { words: isWaiting ? 'Delivering' : 'Up to date', tone: 'calm' }
}
