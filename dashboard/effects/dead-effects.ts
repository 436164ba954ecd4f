/** The dead effects of the kind that is looked at, page by page, and what became of those that were mended. */
import type { DeadEffect, DeadEffectPage, EffectOutcome } from '../api/answers.ts'
import { describeError, getJson, postJson } from '../api/request.ts'
import { createStore } from '../ui/store.ts'

const PAGE_SIZE = 100
const MENDED_AT_ONCE = 1_000

export type Mending = 'redrive' | 'discard'

export interface DeadState {
  readonly kind: string
  readonly phase: 'loading' | 'ready' | 'failed'
  readonly error: string | undefined
  readonly effects: readonly DeadEffect[]
  readonly next: number | null
  readonly outcomes: readonly EffectOutcome[]
  readonly isMending: boolean
}

const NONE: DeadState = {
  kind: '',
  phase: 'loading',
  error: undefined,
  effects: [],
  next: null,
  outcomes: [],
  isMending: false,
}

export const deadEffects = createStore<DeadState>(NONE)

/** Reads the first page again; what was said of a mending stays, as long as the kind does. */
export async function loadDead(kind: string): Promise<void> {
  if (deadEffects.get().kind !== kind) deadEffects.set({ ...NONE, kind })
  await load(kind, undefined)
}

export async function loadMoreDead(): Promise<void> {
  const { kind, next } = deadEffects.get()
  if (next !== null) await load(kind, next)
}

export async function mend(how: Mending, ids: readonly string[]): Promise<void> {
  const { kind } = deadEffects.get()
  change(kind, { isMending: true, outcomes: [], error: undefined })
  try {
    for (let at = 0; at < ids.length; at += MENDED_AT_ONCE) {
      const { outcomes } = await postJson<{ outcomes: readonly EffectOutcome[] }>(`/v1/effects/${how}`, {
        ids: ids.slice(at, at + MENDED_AT_ONCE),
      })
      change(kind, { outcomes: [...deadEffects.get().outcomes, ...outcomes] })
    }
    await load(kind, undefined)
  } catch (error) {
    change(kind, { error: describeError(error) })
  } finally {
    change(kind, { isMending: false })
  }
}

export function forgetMended(): void {
  change(deadEffects.get().kind, { outcomes: [], error: undefined })
}

async function load(kind: string, after: number | undefined): Promise<void> {
  const from = after === undefined ? '' : `&after=${after}`
  try {
    const page = await getJson<DeadEffectPage>(
      `/v1/effects/${encodeURIComponent(kind)}/dead?limit=${PAGE_SIZE}${from}`,
    )
    const before = after === undefined ? [] : deadEffects.get().effects
    change(kind, { phase: 'ready', error: undefined, effects: [...before, ...page.effects], next: page.next })
  } catch (error) {
    change(kind, { phase: 'failed', error: describeError(error) })
  }
}

/** An answer about a kind that is not looked at any more says nothing. */
function change(kind: string, part: Partial<DeadState>): void {
  const state = deadEffects.get()
  if (state.kind === kind) deadEffects.set({ ...state, ...part })
}
