/**
 * What somebody should look into, and how bad it is: what the engine, its queue, its effects and its dead letters say.
 *
 * `red`: work stands still, or is given up. `warn`: it is as somebody wanted it, or ends by itself.
 */
import type { EffectTrouble } from '../index.ts'
import type { ServerContext } from './context.ts'
import type { Alert } from './readiness.ts'

export interface HealthProblem {
  readonly level: 'red' | 'warn'
  readonly kind: Alert['kind'] | EffectTrouble['kind'] | 'effectsPaused' | 'deadLetters'
  readonly message: string
  /** The kind of the effects that it is about. */
  readonly effects?: string
  readonly sinceMs?: number
}

type Sources = Pick<ServerContext, 'readiness' | 'effects' | 'sizes'>

/** The worst first. */
export function problemsOf({ readiness, effects, sizes }: Sources): HealthProblem[] {
  const { kinds, troubles } = effects.latest
  const { deadLetters } = sizes.latest
  const problems: HealthProblem[] = [
    ...readiness.alerts().map((alert) => ({
      level: alert.kind === 'backpressure' ? ('warn' as const) : ('red' as const),
      ...alert,
    })),
    ...troubles.map((trouble) => ({
      level: 'red' as const,
      ...trouble,
      message: capitalized(trouble.message),
    })),
    ...kinds
      .filter(({ isPaused, queued, waiting }) => isPaused && queued + waiting > 0)
      .map(({ kind, queued, waiting }) => ({
        level: 'warn' as const,
        kind: 'effectsPaused' as const,
        effects: kind,
        message: `Effects of kind "${kind}" are paused: ${queued + waiting} wait`,
      })),
  ]
  if (deadLetters > 0)
    problems.push({
      level: 'warn',
      kind: 'deadLetters',
      message: `${deadLetters} ${deadLetters === 1 ? 'operation was' : 'operations were'} refused and kept as dead letters`,
    })
  return problems.toSorted((one, other) => Number(one.level === 'warn') - Number(other.level === 'warn'))
}

/** The engine's messages stand behind a name; alone they begin as sentences do. */
export function capitalized(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1)
}
