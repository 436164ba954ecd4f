/** Which measured figure answers which goal of the PostgreSQL store. */
import type { PostgresPeerName } from '../../peers/postgres/index.ts'
import { atLeast, atMost, below, type Goal } from '../../report/goals.ts'
import { medianOver } from '../reads/round.ts'
import { callersRatio, oneCallerRatio, type Callers } from './callers.ts'
import { fenceCost, type FenceLane } from './fence.ts'
import { insertLaneOf, insertRatio, type InsertLane } from './inserts.ts'
import { ROWS_PER_COMMIT } from './job.ts'
import type { ReadBackLane } from './read-back.ts'
import type { SlowDisk } from './slow-disk.ts'

export interface MeasuredPostgres {
  readonly inserts?: readonly InsertLane[]
  readonly wideRows?: readonly InsertLane[]
  readonly fence?: readonly FenceLane[] | undefined
  readonly callers?: Callers
  readonly slowDisk?: SlowDisk | undefined
  readonly readBack?: readonly ReadBackLane[] | undefined
}

export function postgresGoalsOf(measured: MeasuredPostgres): readonly Goal[] {
  const { inserts, fence, callers, slowDisk, readBack } = measured
  const against = (peer: PostgresPeerName): number | undefined => {
    const [ours, theirs] = [insertLaneOf(inserts, 'tidemark'), insertLaneOf(inserts, peer)]
    return ours && theirs && insertRatio(ours, theirs).median
  }
  const ofBatches = fence?.find(({ rowsPerCommit }) => rowsPerCommit === ROWS_PER_COMMIT)
  const readBy = (name: ReadBackLane['way']): number | undefined => {
    const lane = readBack?.find(({ way }) => way === name)
    return lane && medianOver(lane.rounds, ({ fromCallMs }) => fromCallMs.p50)
  }
  return [
    atLeast('rows/s, against an awaited unnest loop', 1.1, against('pg/unnest'), 1.35),
    atLeast('rows/s, against a COPY loop', 0.75, against('pg/copy'), 1),
    atLeast('rows/s, against one awaited insert', 10, against('pg/single')),
    atLeast('rows/s, against 16 connections', 3, against('pg/16-connections')),
    atMost('the fence, batches of 1,000', '%', 3, ofBatches && fenceCost(ofBatches)),
    ...callersGoals('', callers),
    ...callersGoals(', 1 ms added to each sync', slowDisk?.callers),
    below(
      'read after write on a replica, from the call, p50',
      'ms',
      3,
      readBy('the same engine, from a replica'),
    ),
    below(
      'read after write in another process, from the call, p50',
      'ms',
      3,
      readBy('an engine in another process'),
    ),
  ]
}

function callersGoals(where: string, callers: Callers | undefined): readonly Goal[] {
  return [
    atMost(
      `one awaited insert, p50, against the bare driver${where}`,
      '×',
      1.5,
      callers && oneCallerRatio(callers),
    ),
    atLeast(`16 callers, against 16 connections${where}`, 1.4, callers && callersRatio(callers, 16)),
    atLeast(`256 callers, against 16 connections${where}`, 3, callers && callersRatio(callers, 256)),
  ]
}
