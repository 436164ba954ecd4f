/** On a terminal there is a progress bar; into a file or a pipe goes plain text. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Command, plainEnvironment, program } from './command.ts'
import { expectLines, Onlooker, writeInput } from './inputs.ts'

// oxlint-disable-next-line no-control-regex -- what terminals obey is what is looked for
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

test('without a terminal there is no progress bar, and nothing that only a terminal understands', async () => {
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 20_000)
  const { code, stdout, stderr } = await new Command(folder, ['ingest', 'app.ndjson']).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toMatch(control)
})

test('on a terminal the progress bar shows rows, rate, queue and longest transaction, and is gone at the end', async ({
  skip,
}) => {
  if (!hasScript()) return skip('there is no `script` of util-linux to make a terminal')
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 100_000)
  const { code, screen } = await onTerminal(folder, 'ingest app.ndjson')

  expect(code).toBe(0)
  expect(screen).toMatch(
    /app\.ndjson [█░]{24} \d+% \| [\d,]+ rows \| [\d,]+ rows\/s \| [\d,]+ queued \| longest transaction [\d.]+ ms/,
  )
  expectRestored(screen)
  // The last that is seen: the line of the bar is cleared, and the report stands in its place.
  expect(screen).toMatch(/app\.ndjson: 100,000 rows into table "logs" [^\r\n]*\r\n$/)
  expectLines(folder, 'app.ndjson', 100_000)
})

test('Ctrl-C on a terminal drains, and leaves the terminal as it was', async ({ skip }) => {
  if (!hasScript()) return skip('there is no `script` of util-linux to make a terminal')
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 300_000)
  using onlooker = new Onlooker(folder)
  const { code, screen } = await onTerminal(folder, 'ingest app.ndjson', () => onlooker.count('logs') > 0)

  expect(code).toBe(130)
  expect(screen).toContain('tidemark: stopping; what was read is being committed')
  expect(screen).toContain('stopped; the same command goes on from here')
  expectRestored(screen)
})

test('a follower on a terminal shows rows and their rate, and no share of an end that is not known', async ({
  skip,
}) => {
  if (!hasScript()) return skip('there is no `script` of util-linux to make a terminal')
  const folder = temporaryFolder()
  writeInput(folder, 'app.ndjson', 300_000)
  using onlooker = new Onlooker(folder)
  const isThrough = (): boolean => onlooker.count('logs') === 300_000
  const { code, screen } = await onTerminal(folder, 'ingest --follow app.ndjson', isThrough)

  expect(code).toBe(130)
  expect(screen).toMatch(
    /app\.ndjson \| [\d,]+ rows \| [\d,]+ rows\/s \| [\d,]+ queued \| longest transaction [\d.]+ ms/,
  )
  expect(screen).not.toContain('%')
  expectRestored(screen)
  expect(screen).toMatch(/app\.ndjson: 300,000 rows into table "logs" [^\r\n]*\r\n {2}stopped; [^\r\n]*\r\n$/)
})

/** The cursor is shown and lines are wrapped, the last time that either was set. */
function expectRestored(screen: string): void {
  const esc = '\u001b'
  expect(screen.lastIndexOf(`${esc}[?25h`), 'cursor').toBeGreaterThan(screen.lastIndexOf(`${esc}[?25l`))
  expect(screen.lastIndexOf(`${esc}[?7h`), 'wrapping').toBeGreaterThan(screen.lastIndexOf(`${esc}[?7l`))
}

function hasScript(): boolean {
  return spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false
}

/** Runs `tidemark …` on a terminal of its own; presses Ctrl-C when the condition holds. */
async function onTerminal(
  folder: string,
  parameters: string,
  pressesCtrlC: () => boolean = () => false,
): Promise<{ code: number | null; screen: string }> {
  const temporary = path.join(folder, 'tmp')
  mkdirSync(temporary)
  const command = `stty columns 150; exec '${process.execPath}' '${program}' ${parameters}`
  const terminal = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...plainEnvironment(), TMPDIR: temporary, TERM: 'xterm', SHELL: '/bin/sh' },
  })
  let screen = ''
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  const ended = new Promise<number | null>((resolve) => terminal.on('close', resolve))
  let hasPressed = false
  const looking = setInterval(() => {
    // `script` stops itself when what it runs was stopped, as by a machine that is suspended, and never wakes.
    terminal.kill('SIGCONT')
    if (hasPressed || !pressesCtrlC()) return
    hasPressed = true
    terminal.stdin.write('\u0003')
  }, 1)
  onTestFinished(async () => {
    clearInterval(looking)
    // Without its terminal, what runs on it is hung up.
    terminal.kill('SIGKILL')
    await ended
  })
  const code = await ended
  return { code, screen }
}
