/**
 * What Prometheus is told of effects: a line for each kind.
 *
 * What takes a query is told as the watch saw it last, so a scrape asks the database nothing and waits for nothing; what
 * handlers of this process do is told as it is.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import { CALL_SECONDS, type EffectStats, type HandlerStats } from '../index.ts'
import type { Engine } from './context.ts'
import type { EffectsHistory } from './effects-history.ts'

type Seen = readonly [name: string, help: string, value: (stats: EffectStats) => number]
type Shown = readonly [name: string, help: string, value: (handler: HandlerStats) => number]

const seenGauges: readonly Seen[] = [
  ['undelivered', 'Effects that are committed and not finished.', ({ queued, waiting }) => queued + waiting],
  [
    'oldest_seconds',
    'For how long the oldest of them could have been delivered.',
    (of) => of.oldestMs / 1_000,
  ],
  [
    'lag_seconds',
    'How far the target is behind: of what was committed longer ago, it lacks only what is dead.',
    ({ lagMs }) => lagMs / 1_000,
  ],
  ['dead', 'Effects that were given up, and not redriven or discarded.', ({ dead }) => dead],
  ['paused', '1 while the kind is paused.', ({ isPaused }) => Number(isPaused)],
  ['lanes', 'In how many lanes the kind is dealt out; 0: nobody has ever handled it.', ({ lanes }) => lanes],
  ['lanes_held', 'How many of them have a holder, in any process.', ({ held }) => held],
]
const handlerGauges: readonly Shown[] = [
  ['handler_lanes', 'Lanes that this process holds.', ({ lanes }) => lanes],
  ['running', 'Calls of the handler under way.', ({ running }) => running],
  ['concurrency_limit', 'How many there may be now.', ({ limit }) => limit],
  ['target_down', '1 while the target takes nothing.', ({ isDown }) => Number(isDown)],
]
const handlerCounters: readonly Shown[] = [
  ['delivered_total', 'Effects that the handler delivered.', ({ delivered }) => delivered],
  ['failed_total', 'Attempts that failed.', ({ failed }) => failed],
  ['given_up_total', 'Effects that the handler gave up.', ({ dead }) => dead],
]

export function showEffects(registry: Registry, db: Pick<Engine, 'effects'>, effects: EffectsHistory): void {
  const registers = [registry]
  const labelNames = ['kind'] as const
  const prefix = 'tidemark_effects_'
  for (const [name, help, value] of seenGauges) {
    const collect = function (this: Gauge<'kind'>): void {
      this.reset()
      for (const stats of effects.latest.kinds) this.set({ kind: stats.kind }, value(stats))
    }
    void new Gauge({ name: prefix + name, help, labelNames, registers, collect })
  }
  for (const [name, help, value] of handlerGauges) {
    const collect = function (this: Gauge<'kind'>): void {
      this.reset()
      for (const [kind, handler] of db.effects.handlers()) this.set({ kind }, value(handler))
    }
    void new Gauge({ name: prefix + name, help, labelNames, registers, collect })
  }
  for (const [name, help, value] of handlerCounters) {
    const collect = function (this: Counter<'kind'>): void {
      this.reset()
      for (const [kind, handler] of db.effects.handlers()) this.inc({ kind }, value(handler))
    }
    void new Counter({ name: prefix + name, help, labelNames, registers, collect })
  }
  void new Gauge({
    name: `${prefix}trouble`,
    help: '1 for what somebody should look into, by what it is.',
    labelNames: ['kind', 'trouble'] as const,
    registers,
    collect() {
      this.reset()
      for (const { effects: kind, kind: trouble } of effects.latest.troubles) this.set({ kind, trouble }, 1)
    },
  })
  void new Gauge({
    name: `${prefix}looked_timestamp_seconds`,
    help: 'When the database was asked for what is told of its effects; 0: not yet.',
    registers,
    collect() {
      this.set((effects.latest.atMs ?? 0) / 1_000)
    },
  })
}

const durations = 'tidemark_effects_call_seconds'

/**
 * Calls by how long they took, as the text that Prometheus reads: the handlers have counted them already, and a histogram
 * of the registry's own only takes one call at a time. Each bucket counts what the smaller ones count, too.
 */
export function callDurations(db: Pick<Engine, 'effects'>): string {
  const lines = [...db.effects.handlers()].flatMap(([kind, { buckets, calls, callMs }]) => {
    const label = `kind="${kind.replaceAll(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`))}"`
    let sum = 0
    return [
      ...[...CALL_SECONDS, '+Inf'].map(
        (le, at) => `${durations}_bucket{${label},le="${le}"} ${(sum += buckets[at] ?? 0)}`,
      ),
      `${durations}_sum{${label}} ${callMs / 1_000}`,
      `${durations}_count{${label}} ${calls}`,
    ]
  })
  return [
    `# HELP ${durations} How long a call of the handler takes, with a batch of effects.`,
    `# TYPE ${durations} histogram`,
    ...lines,
    '',
  ].join('\n')
}
