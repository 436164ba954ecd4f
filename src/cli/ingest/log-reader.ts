import { badLine, checkpointOf } from './entries.ts'
import type { BadLine, EntryBlock, ReadPlan } from './entries.ts'
import { parseAccess } from '../../logs/formats/access.ts'
import type { Clock, LineParser, LogRow, LogFormatName } from '../../logs/formats/format.ts'
import { parseLogfmt } from '../../logs/formats/logfmt.ts'
import { parseNdjson } from '../../logs/formats/ndjson.ts'
import { parsePlain } from '../../logs/formats/plain.ts'
import { parseSyslog } from '../../logs/formats/syslog.ts'
import { lineBlocks } from './line-blocks.ts'
import { lineAt } from './sample.ts'

const PARSERS: Readonly<Record<LogFormatName, LineParser>> = {
  ndjson: parseNdjson,
  logfmt: parseLogfmt,
  access: parseAccess,
  syslog: parseSyslog,
  plain: parsePlain,
}

const SPACE = 32

/** The entries of a log, one a line. Blank lines are passed over. */
export async function* readLog(
  plan: ReadPlan,
  format: LogFormatName,
): AsyncGenerator<EntryBlock, void, undefined> {
  const { source, from, lastLine } = plan
  const parse = PARSERS[format]
  const clock: Clock = {
    lastTs: from?.lastTs ?? Number.NaN,
    // A file that is followed is changed meanwhile.
    get referenceMs() {
      return source.modifiedMs
    },
  }
  for await (const block of lineBlocks(source, from, plan)) {
    const { lines, broken, isTerminated } = block
    if (!isTerminated && lastLine === 'never') {
      return plan.leave(badLine(lineAt(block, 0), 'the line has no line end yet'))
    }
    const rows: LogRow[] = []
    const bad: BadLine[] = []
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index] ?? ''
      const reason = broken?.get(index)
      if (reason === undefined && isBlank(line)) continue
      const parsed = reason ?? parse(line, clock)
      if (typeof parsed === 'string') bad.push(badLine(lineAt(block, index), parsed))
      else rows.push(parsed)
    }
    if (!isTerminated && lastLine === 'ifWhole' && rows.length === 0) {
      // Blank so far is left as well, but it is nothing to report.
      if (bad[0] !== undefined) plan.leave(bad[0])
      return
    }
    const offset = block.ends.at(-1) ?? block.start
    const line = block.firstLine + lines.length - 1
    const isLineOpen = !isTerminated
    yield {
      rows,
      bad,
      checkpoint: checkpointOf(source, { offset, line, isLineOpen, format, lastTs: clock.lastTs, csv: null }),
      lines: lines.length,
      bytes: offset - block.start,
    }
  }
}

function isBlank(line: string): boolean {
  return !(line.charCodeAt(0) > SPACE) && line.trim() === ''
}
