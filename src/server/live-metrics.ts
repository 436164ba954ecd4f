/** What Prometheus is told of live scopes. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { LiveStats } from '../index.ts'
import type { Engine } from './context.ts'

type Shown = readonly [name: string, help: string, value: (stats: LiveStats) => number]

const gauges: readonly Shown[] = [
  ['tidemark_live_scopes', 'Live scopes in memory.', ({ scopes }) => scopes],
  ['tidemark_live_rows', 'Rows that they hold.', ({ rows }) => rows],
  ['tidemark_live_bytes', 'About what these take in memory.', ({ bytes }) => bytes],
  ['tidemark_live_unsaved', 'Scopes with changes that are not committed.', ({ unsaved }) => unsaved],
]
const counters: readonly Shown[] = [
  ['tidemark_live_changes_total', 'How often a row of a live scope was changed.', ({ changes }) => changes],
  ['tidemark_live_written_total', 'The operations that came of it.', ({ written }) => written],
  ['tidemark_live_evicted_total', 'Scopes that had to make room for others.', ({ evicted }) => evicted],
  ['tidemark_live_rejected_total', 'Groups of changes that were rejected.', ({ rejected }) => rejected],
]

export function showLive(registry: Registry, db: Pick<Engine, 'live'>): void {
  const registers = [registry]
  for (const [name, help, value] of gauges) {
    const collect = function (this: Gauge): void {
      this.set(value(db.live.stats()))
    }
    void new Gauge({ name, help, registers, collect })
  }
  for (const [name, help, value] of counters) {
    const collect = function (this: Counter): void {
      this.reset()
      this.inc(value(db.live.stats()))
    }
    void new Counter({ name, help, registers, collect })
  }
}
