/**
 * What a contender for single changes is: something that holds job 0 and its parts, changes two columns of one of these
 * rows, and reads that row.
 */
import { JOB_COLUMNS, PART_COLUMNS, type JobRow, type PartRow } from '../../workloads/live/rows.ts'

type Maybe<T> = T | Promise<T>

export interface ChangePeer {
  /** Gives the job stage and progress of this change. @returns the job as it is then */
  changeJob(number: number): Maybe<Pick<JobRow, 'stage' | 'progress'> | undefined>
  /** The same with the part whose turn it is. */
  changePart(number: number): Maybe<Pick<PartRow, 'state' | 'progress'> | undefined>
  /** Operations written so far. Absent: each change is one. */
  written?(): number
  /** Everything is committed. */
  flush?(): Promise<unknown>
  close(): Maybe<void>
}

/** @param file with job 0 and its parts */
export type OpenChangePeer = (file: string) => Promise<ChangePeer>

export const UPDATE_JOB = 'UPDATE jobs SET stage = ?, progress = ? WHERE id = ?'
export const SELECT_JOB = `SELECT ${JOB_COLUMNS.join(', ')} FROM jobs WHERE id = ?`
export const UPDATE_PART = 'UPDATE parts SET state = ?, progress = ? WHERE job = ? AND n = ?'
export const SELECT_PART = `SELECT ${PART_COLUMNS.join(', ')} FROM parts WHERE job = ? AND n = ?`
