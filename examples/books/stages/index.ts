/** The stages by name, in their order. */
import { chapters } from './chapters.ts'
import { classification } from './classification.ts'
import { contents } from './contents.ts'
import { entries } from './entries.ts'
import { links } from './links.ts'
import { metadata } from './metadata.ts'
import { polish } from './polish.ts'
import { stageNames, type Stage, type StageName } from './stage.ts'

const stages: Readonly<Record<StageName, Stage>> = {
  metadata,
  contents,
  entries,
  links,
  chapters,
  classification,
  polish,
}

export function stageOf(name: StageName): Stage {
  return stages[name]
}

export { stageNames }
