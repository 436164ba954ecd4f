/**
 * The recovery of a kind: what the server would do about it, and what it did.
 *
 *   idle ──look──▶ looking ──answer──▶ told ──apply──▶ mending ──answer──▶ mended ──forgotten──▶ idle
 *                     └──────────── refused ────────────┴───────────▶ failed ───────────────────────┘
 */
import type { Recovery } from '../api/answers.ts'
import { describeError, postJson } from '../api/request.ts'
import { createStore } from '../ui/store.ts'

export type RecoveryState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'looking' | 'mending'; readonly kind: string }
  | { readonly phase: 'told' | 'mended'; readonly kind: string; readonly recovery: Recovery }
  | { readonly phase: 'failed'; readonly error: string }

const IDLE: RecoveryState = { phase: 'idle' }

export const recovery = createStore<RecoveryState>(IDLE)

/** Asks what there is to do; nothing is changed. */
export async function lookForMissing(kind: string): Promise<void> {
  await ask({ phase: 'looking', kind }, true, 'told')
}

/** Enqueues what is missing, and discards orphans. */
export async function applyRecovery(kind: string): Promise<void> {
  await ask({ phase: 'mending', kind }, false, 'mended')
}

export function forgetRecovery(): void {
  recovery.set(IDLE)
}

async function ask(
  asking: RecoveryState & { readonly kind: string },
  dryRun: boolean,
  phase: 'told' | 'mended',
): Promise<void> {
  recovery.set(asking)
  let answer: RecoveryState
  try {
    const { kind } = asking
    const found = await postJson<Recovery>(`/v1/effects/${encodeURIComponent(kind)}/recover`, { dryRun })
    answer = { phase, kind, recovery: found }
  } catch (error) {
    answer = { phase: 'failed', error: describeError(error) }
  }
  // Whoever has left meanwhile is asked nothing.
  if (recovery.get() === asking) recovery.set(answer)
}
