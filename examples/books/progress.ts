/** How far a run is: one line of a terminal that is written over, or a line an event for programs. */
import type { Moment } from './pipeline/journal.ts'
import { textStages } from './stages/stage.ts'

const width = 28

export interface Progress {
  show(moment: Moment): void
  end(): void
}

/** @param books how many there are */
export function barOf(books: number, stream: NodeJS.WriteStream): Progress {
  const stages = books * textStages.length
  let worked = 0
  let done = 0
  return {
    show: (moment) => {
      if (moment.kind === 'worked') worked++
      if (moment.kind === 'done') done++
      if (!stream.isTTY) return
      const filled = Math.min(width, Math.round((worked / stages) * width))
      const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
      const what = moment.kind === 'done' ? `${moment.book}: done` : `${moment.book}: ${moment.stage}`
      stream.write(`\r\x1b[K${bar} ${done} of ${books} books, ${worked} stages  ${what}`)
    },
    end: () => void (stream.isTTY && stream.write('\r\x1b[K')),
  }
}

/** `worked moby_dick links`: what whoever watches from outside waits for. */
export const eventLines: Progress = {
  show: (moment) =>
    console.log(
      moment.kind === 'done' ? `done ${moment.book}` : `${moment.kind} ${moment.book} ${moment.stage}`,
    ),
  end: () => undefined,
}
