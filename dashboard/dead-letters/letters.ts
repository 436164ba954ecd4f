/** The dead letters of the server, page by page, and what became of those that were redriven. */
import type { DeadLetter, DeadLetterPage, RedriveOutcome } from '../api/answers.ts'
import { describeError, getJson, postJson } from '../api/request.ts'
import { createStore } from '../ui/store.ts'

const PAGE_SIZE = 100
const REDRIVEN_AT_ONCE = 1_000

export interface LettersState {
  readonly phase: 'loading' | 'ready' | 'failed'
  readonly error: string | undefined
  readonly letters: readonly DeadLetter[]
  readonly next: string | undefined
  readonly outcomes: readonly RedriveOutcome[]
  readonly isRedriving: boolean
}

const LOADING: LettersState = {
  phase: 'loading',
  error: undefined,
  letters: [],
  next: undefined,
  outcomes: [],
  isRedriving: false,
}

export const letters = createStore<LettersState>(LOADING)

/** Reads the first page again; what was said of a redrive stays. */
export async function loadLetters(): Promise<void> {
  try {
    const page = await getJson<DeadLetterPage>(`/v1/dead-letters?limit=${PAGE_SIZE}`)
    change({ phase: 'ready', error: undefined, letters: page.letters, next: cursorOf(page) })
  } catch (error) {
    change({ phase: 'failed', error: describeError(error) })
  }
}

export async function loadMoreLetters(): Promise<void> {
  const { next, letters: before } = letters.get()
  if (next === undefined) return
  try {
    const page = await getJson<DeadLetterPage>(
      `/v1/dead-letters?limit=${PAGE_SIZE}&after=${encodeURIComponent(next)}`,
    )
    change({ letters: [...before, ...page.letters], next: cursorOf(page) })
  } catch (error) {
    change({ error: describeError(error) })
  }
}

export async function redrive(ids: readonly number[]): Promise<void> {
  change({ isRedriving: true, outcomes: [], error: undefined })
  try {
    for (let at = 0; at < ids.length; at += REDRIVEN_AT_ONCE) {
      const { outcomes } = await postJson<{ outcomes: readonly RedriveOutcome[] }>(
        '/v1/dead-letters/redrive',
        { ids: ids.slice(at, at + REDRIVEN_AT_ONCE) },
      )
      change({ outcomes: [...letters.get().outcomes, ...outcomes] })
    }
    await loadLetters()
  } catch (error) {
    change({ error: describeError(error) })
  } finally {
    change({ isRedriving: false })
  }
}

export function forgetOutcomes(): void {
  change({ outcomes: [], error: undefined })
}

function cursorOf({ next }: DeadLetterPage): string | undefined {
  return next === null || next === undefined ? undefined : String(next)
}

function change(part: Partial<LettersState>): void {
  letters.set({ ...letters.get(), ...part })
}
