/** The work of each stage by its name. */
import { readPages } from '../ocr/pages.ts'
import type { BookState } from '../tables.ts'
import { chapters } from './chapters.ts'
import { classification } from './classification.ts'
import { contents } from './contents.ts'
import { entries } from './entries.ts'
import { links } from './links.ts'
import { metadata } from './metadata.ts'
import { polish } from './polish.ts'
import type { Change, Stage, StageName, TextStage } from './stage.ts'

const stages: Readonly<Record<TextStage, Stage>> = {
  metadata,
  contents,
  entries,
  links,
  chapters,
  classification,
  polish,
}

export function textStage(name: TextStage): Stage {
  return stages[name]
}

/** @param file the book, or the folder of its pages */
export function workOf(
  name: StageName,
  file: string,
  textOf: () => string,
  state: BookState,
): Iterable<Change> | AsyncIterable<Change> {
  return name === 'ocr' ? readPages(file, state) : stages[name].work(textOf(), state)
}
