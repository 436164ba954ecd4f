/** `tidemark serve` as a user runs it, in a folder of its own. */
import { onTestFinished } from 'vitest'
import { temporaryFolder } from '../support/database-file.ts'
import { Command } from '../cli/command.ts'

export interface Served {
  readonly folder: string
  readonly file: string
  readonly url: string
  readonly command: Command
}

export async function served(...parameters: readonly string[]): Promise<Served> {
  const folder = temporaryFolder()
  const command = new Command(folder, ['serve', '--port', '0', '--no-dashboard', ...parameters])
  onTestFinished(() => command.send('SIGKILL'))
  return { folder, file: `${folder}/app.db`, url: await urlOf(command), command }
}

export async function urlOf(command: Command): Promise<string> {
  await command.said('is served at ')
  await command.reached('says where', () => command.stdout.endsWith('\n'))
  return /http:\S+/.exec(command.stdout)?.[0] ?? ''
}
