/**
 * Follows a folder: each event is a path to look at. When the folder itself is gone, so is nobody's note: the index stays as
 * it is until the folder is back, and is compared with it then.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { watch as chokidar, type FSWatcher } from 'chokidar'

export interface WatchEvents {
  readonly onPath: (note: string) => void
  /** All that is there was told. */
  readonly onScanned: (found: ReadonlySet<string>) => void
  readonly onFolder: (is: 'gone' | 'back') => void
  readonly onTrouble: (problem: string) => void
}

const lookAgainMs = 500

export class FolderWatch {
  readonly #folder: string
  readonly #events: WatchEvents
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #isGone = false

  constructor(folder: string, events: WatchEvents) {
    this.#folder = folder
    this.#events = events
  }

  start(): void {
    const found = new Set<string>()
    let isScanned = false
    const see = (file: string): void => {
      const note = this.#noteOf(file)
      if (note === undefined) return
      if (!isScanned) found.add(note)
      this.#events.onPath(note)
    }
    this.#watcher = chokidar(this.#folder, {
      ignored: (file) => isHidden(path.relative(this.#folder, file)),
      // Replaced by a rename: what is there is looked at a moment later anyway.
      atomic: false,
    })
      .on('add', see)
      .on('change', see)
      .on('unlink', see)
      // A folder may stand where a note was.
      .on('addDir', see)
      .on('unlinkDir', (folder) => {
        if (path.resolve(folder) === this.#folder) void this.missing()
        else see(folder)
      })
      .on('error', (error) => this.#events.onTrouble(explained(error)))
      .on('ready', () => {
        isScanned = true
        this.#events.onScanned(found)
      })
  }

  /** @returns whether the folder is there */
  async isThere(): Promise<boolean> {
    return await stat(this.#folder).then(
      (found) => found.isDirectory(),
      () => false,
    )
  }

  /** The folder is gone: waits until it is back, then begins anew. */
  async missing(): Promise<void> {
    if (this.#isGone || this.#isClosed || (await this.isThere())) return
    this.#isGone = true
    this.#events.onFolder('gone')
    await this.#watcher?.close()
    this.#watcher = undefined
    this.#await()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#watcher?.close()
  }

  #await(): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#lookAgain(), lookAgainMs)
  }

  async #lookAgain(): Promise<void> {
    if (!(await this.isThere())) return this.#await()
    if (this.#isClosed) return
    this.#isGone = false
    this.#events.onFolder('back')
    this.start()
  }

  #noteOf(file: string): string | undefined {
    const note = path.relative(this.#folder, file).split(path.sep).join('/')
    return isNote(note) ? note : undefined
  }
}

/** A name below the folder, as it is kept: others may have made it up. */
export function isNote(name: string): boolean {
  const isInside = path.posix.normalize(name) === name && !/^\.\.?\/|^\/|\0/.test(name)
  return isInside && /\.(md|markdown)$/i.test(name) && !isHidden(name)
}

/** Of editors, of version control, and the vault's own. */
function isHidden(name: string): boolean {
  return /(^|[/\\])\.(?!\.?([/\\]|$))/.test(name)
}

function explained(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EMFILE')
    return `not every folder can be watched (${code}): raise fs.inotify.max_user_watches or the limit of open files`
  return message
}
