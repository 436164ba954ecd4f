import type { Checkpoint } from './checkpoint.ts'
import { LineSplitter } from '../../logs/lines.ts'
import type { LineBlock, LineOptions } from '../../logs/lines.ts'
import type { Source } from './source.ts'

/** The lines of a source from where a checkpoint left off, or all of them. */
export async function* lineBlocks(
  source: Source,
  from: Checkpoint | undefined,
  options: LineOptions,
): AsyncGenerator<LineBlock, void, undefined> {
  // A line that was taken before its line end was there is met again: what is left of it keeps its number.
  let isContinued = from?.isLineOpen ?? false
  const position = { offset: from?.offset ?? 0, line: (from?.line ?? 0) - (isContinued ? 1 : 0) }
  const splitter = new LineSplitter(position, options)
  for await (const bytes of source.bytes(position.offset)) {
    for (const block of splitter.push(bytes)) {
      yield isContinued ? continued(block) : block
      isContinued = false
    }
  }
  // Somebody stopped the reading: then the last line is not the end of anything.
  if (source.isClosed) return
  for (const block of splitter.end()) yield isContinued ? continued(block) : block
}

/**
 * Usually nothing is left but the line end. Anything else is the second half of a line that is stored
 * already.
 */
function continued(block: LineBlock): LineBlock {
  if (block.lines[0] === '') return block
  const broken = new Map(block.broken)
  broken.set(0, 'the rest of a line that was taken when the input ended in the middle of it')
  return { ...block, broken }
}
