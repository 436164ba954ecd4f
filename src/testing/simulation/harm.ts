import type { Faults } from './faults.ts'
import type { SimulatedProcess } from './process.ts'
import type { ActionOf } from './program.ts'

/** What is done to a process from outside. */
export function harm(
  process: SimulatedProcess,
  action: ActionOf<'stop' | 'kill' | 'jump-clock'>,
  faults: Faults,
): void {
  switch (action.kind) {
    case 'kill':
      faults.happened('process-killed')
      return process.kill()
    case 'stop':
      faults.happened('process-stopped')
      process.stop()
      return void process.scheduler.after(action.forMs, () => process.resume())
    case 'jump-clock':
      faults.happened('clock-jumped')
      return process.jumpClock(action.byMs)
  }
}
