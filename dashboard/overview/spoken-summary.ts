/** What a chart shows, in words, for who does not see it. */
import { summarise } from './history.ts'
import type { ChartData, Question } from './questions.ts'

export function spokenSummary(question: Question, shown: ChartData, minutes: number): string {
  const sentences = question.series.map(({ column, label, format }) => {
    const summary = summarise(shown[column] ?? [])
    if (summary === undefined) return `${label}: nothing measured yet.`
    const { now, least, most } = summary
    return `${label}: now ${format(now)}, least ${format(least)}, most ${format(most)}.`
  })
  const span = minutes === 1 ? 'The last minute' : `The last ${minutes} minutes`
  return `${question.title} ${span}. ${sentences.join(' ')}`
}
