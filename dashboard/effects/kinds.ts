/** The kinds of effects as the server tells of them, and how each was in the last quarter of an hour. */
import type { EffectHistoryAnswer, EffectKind } from '../api/answers.ts'
import { describeError, getJson, postJson } from '../api/request.ts'
import { appendSamples, emptyHistory, lastTime, type History } from '../overview/history.ts'
import { createStore } from '../ui/store.ts'

const EFFECT_COLUMNS = ['t', 'undelivered', 'oldestMs', 'lagMs', 'dead'] as const
export type EffectHistory = History<(typeof EFFECT_COLUMNS)[number]>

export interface KindsState {
  readonly phase: 'loading' | 'ready' | 'failed'
  /** Of the last look. */
  readonly error: string | undefined
  /** Of the last pause or resume, however many looks have gone well since. */
  readonly pauseError: string | undefined
  readonly kinds: readonly EffectKind[]
  readonly histories: Readonly<Record<string, EffectHistory>>
}

export const NO_HISTORY: EffectHistory = emptyHistory(EFFECT_COLUMNS)

export const kinds = createStore<KindsState>({
  phase: 'loading',
  error: undefined,
  pauseError: undefined,
  kinds: [],
  histories: {},
})

let isLoading = false

/** One question at a time: a slow server is not asked again before it has answered. */
export async function loadKinds(): Promise<void> {
  if (isLoading) return
  isLoading = true
  try {
    const { histories } = kinds.get()
    const since = Math.max(0, ...Object.values(histories).map((history) => lastTime(history) ?? 0))
    const [answer, samples] = await Promise.all([
      getJson<{ kinds: readonly EffectKind[] }>('/v1/effects'),
      getJson<EffectHistoryAnswer>(`/v1/stats/effects?since=${since}`),
    ])
    change({ phase: 'ready', error: undefined, kinds: answer.kinds, histories: appended(histories, samples) })
  } catch (error) {
    change({ phase: 'failed', error: describeError(error) })
  } finally {
    isLoading = false
  }
}

export async function setPaused(kind: string, isPaused: boolean): Promise<void> {
  forgetPauseError()
  try {
    const told = await postJson<EffectKind>(
      `/v1/effects/${encodeURIComponent(kind)}/${isPaused ? 'pause' : 'resume'}`,
      {},
    )
    const known = kinds.get().kinds.map((one) => (one.kind === kind ? told : one))
    change({ kinds: known })
  } catch (error) {
    change({ pauseError: describeError(error) })
  }
}

export function forgetPauseError(): void {
  change({ pauseError: undefined })
}

function appended(
  before: KindsState['histories'],
  { kinds: samples, ...answer }: EffectHistoryAnswer,
): KindsState['histories'] {
  const added = Object.entries(samples).map(
    ([kind, some]) =>
      [kind, appendSamples(before[kind] ?? NO_HISTORY, { ...answer, samples: some })] as const,
  )
  return { ...before, ...Object.fromEntries(added) }
}

function change(part: Partial<KindsState>): void {
  kinds.set({ ...kinds.get(), ...part })
}
