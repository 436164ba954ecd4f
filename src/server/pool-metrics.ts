/** What Prometheus is told of connections for reads, of a store that has pools of them: a line for each server. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { PoolStats } from '../contracts/store.ts'
import type { Engine } from './context.ts'

type Shown = readonly [name: string, help: string, value: (pool: PoolStats) => number]

const gauges: readonly Shown[] = [
  ['tidemark_readers_open', 'Connections for reads.', ({ open }) => open],
  ['tidemark_readers_idle', 'Of them, those that nobody uses.', ({ idle }) => idle],
  ['tidemark_readers_limit', 'How many there may be now.', ({ limit }) => limit],
  ['tidemark_readers_max', 'How many there may ever be.', ({ max }) => max],
  ['tidemark_readers_waiting', 'Reads that wait for one now.', ({ waiting }) => waiting],
]
const counters: readonly Shown[] = [
  ['tidemark_readers_waits_total', 'Reads that found none free.', ({ waits }) => waits],
  [
    'tidemark_readers_waited_seconds_total',
    'For how long they waited, together.',
    ({ waitedMs }) => waitedMs / 1_000,
  ],
]

export function showPools(registry: Registry, db: Pick<Engine, 'stats'>): void {
  const registers = [registry]
  const labelNames = ['server'] as const
  const pools = (): (readonly [server: string, pool: PoolStats])[] => {
    const { readers, replicas = [] } = db.stats().store
    const copies = replicas.map(({ name, readers: pool }) => [name, pool] as const)
    return readers ? [['primary', readers], ...copies] : copies
  }
  for (const [name, help, value] of gauges) {
    const collect = function (this: Gauge<'server'>): void {
      for (const [server, pool] of pools()) this.set({ server }, value(pool))
    }
    void new Gauge({ name, help, labelNames, registers, collect })
  }
  for (const [name, help, value] of counters) {
    const collect = function (this: Counter<'server'>): void {
      this.reset()
      for (const [server, pool] of pools()) this.inc({ server }, value(pool))
    }
    void new Counter({ name, help, labelNames, registers, collect })
  }
  void new Counter({
    name: 'tidemark_replica_reads_total',
    help: 'Reads that asked for a replica, by who answered.',
    labelNames: ['by'] as const,
    registers,
    collect() {
      const { reads, fallbacks } = db.stats().reads.replicas
      this.reset()
      this.inc({ by: 'replica' }, reads)
      this.inc({ by: 'primary' }, fallbacks)
    },
  })
}
