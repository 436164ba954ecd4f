/** The questions that the charts of one kind of effects answer. */
import type { Question } from '../overview/questions.ts'
import { formatCount, formatMs } from '../ui/format.ts'

export const EFFECT_QUESTIONS: readonly Question[] = [
  {
    title: 'How far is the target behind?',
    series: [
      { column: 'lagMs', label: 'behind', format: formatMs, scale: 'left' },
      { column: 'oldestMs', label: 'oldest', format: formatMs, scale: 'left' },
    ],
    atLeast: 1_000,
  },
  {
    title: 'How much waits?',
    series: [{ column: 'undelivered', label: 'waiting', format: formatCount, scale: 'left' }],
    atLeast: 10,
  },
  {
    title: 'How many are dead?',
    series: [{ column: 'dead', label: 'dead', format: formatCount, scale: 'left' }],
    atLeast: 10,
  },
]
