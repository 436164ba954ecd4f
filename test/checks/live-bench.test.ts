/** The live benchmark: what it is asked for, which files it believes, and what it calls met. */
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { LIVE_SECTIONS, parseLiveOptions } from '../../bench/options/live.ts'
import { delayedStore } from '../../bench/peers/live/delayed-store.ts'
import { LIVE_PEER_NAMES, PIPELINE_NAMES, type PipelineName } from '../../bench/peers/live/index.ts'
import { judge } from '../../bench/report/goals.ts'
import { rowsAfter } from '../../bench/sections/live/change.ts'
import { createJobs, rowsAtFirst, verifyRows, type Rows } from '../../bench/sections/live/file.ts'
import { liveGoalsOf } from '../../bench/sections/live/goals.ts'
import { SLOW_COMMIT_MS } from '../../bench/sections/live/pipeline.ts'
import { pipeline, type Piped } from '../../bench/workloads/live/pipeline.ts'
import { CREATE_TABLES, jobAt, jobId, partAt, type Tables } from '../../bench/workloads/live/rows.ts'
import { pipelineRows } from '../../bench/workloads/live/stages.ts'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { change, databaseFile, look, temporaryFolder } from '../support/database-file.ts'

describe('options', () => {
  test('without any, all contenders and sections, three rounds', () => {
    expect(parseLiveOptions([])).toMatchObject({
      only: LIVE_PEER_NAMES,
      sections: LIVE_SECTIONS,
      rounds: 3,
      rows: 25,
      scopes: 100_000,
    })
  })

  test('a part of them, in the order given', () => {
    const args = ['--only', 'map,tidemark/live', '--sections', 'pipeline,change', '--rows', '50', '--quick']
    expect(parseLiveOptions(args)).toMatchObject({
      only: ['map', 'tidemark/live'],
      sections: ['pipeline', 'change'],
      rows: 50,
      rounds: 1,
    })
  })

  test.each([
    [['--only', 'tidemark'], '--only does not know "tidemark"'],
    [['--sections', 'changes'], '--sections does not know "changes"'],
    [['--scopes', '10'], '--scopes takes a whole number, at least 1000'],
    [['--row-bytes', '250'], '--row-bytes is not for live scopes'],
  ])('%j is refused in words', (args, message) => {
    expect(() => parseLiveOptions(args)).toThrow(message)
  })
})

describe('a file', () => {
  const rows = rowsAtFirst(2, 3)

  function fileOf(held: Rows): string {
    const file = path.join(temporaryFolder(), 'bench.db')
    createJobs(file, held)
    return file
  }

  test('is believed when it holds exactly the rows that it should', () => {
    expect(verifyRows(fileOf(rows), rows)).toBe(verifyRows(fileOf(rows), rows))
  })

  test.each([
    ['a row is missing', `DELETE FROM parts WHERE job = '${jobId(1)}' AND n = 2`],
    ['a row is as it was before', `UPDATE parts SET progress = 7 WHERE job = '${jobId(1)}' AND n = 2`],
    ['the job is another', `UPDATE jobs SET stage = 'done' WHERE id = '${jobId(0)}'`],
    [
      'a scope is still held',
      `CREATE TABLE tidemark_scopes (n INTEGER); INSERT INTO tidemark_scopes VALUES (1)`,
    ],
  ])('is not when %s', (_, sql) => {
    const file = fileOf(rows)
    change(file, sql)
    expect(() => verifyRows(file, rows)).toThrow()
  })

  test('must hold the last change of each row', () => {
    const { jobs, parts } = rowsAfter({ jobChanges: 9, partChanges: 102 })
    expect(jobs).toEqual([{ ...jobAt(0), stage: 'queued', progress: 8 }])
    expect(parts.map(({ progress }) => progress)).toEqual([
      100,
      101,
      ...Array.from({ length: 98 }, (_, at) => at + 2),
    ])
    expect(rowsAfter({ jobChanges: 1, partChanges: 1 }).parts[1]).toEqual(partAt(0, 1))
  })
})

describe('a pipeline', () => {
  test.each(PIPELINE_NAMES.flatMap((peer) => [0, 1].map((commitMs) => [peer, commitMs] as const)))(
    'leaves the same rows by %s, answered %i ms later',
    async (peer, commitMs) => {
      const file = databaseFile(CREATE_TABLES)
      const job = {
        workload: 'live/pipeline',
        peer,
        file,
        commitMs,
        rows: 2,
        entities: 2,
        roundMs: 0,
      } as const
      const { stageMs, entityMs } = await pipeline(job, () => Promise.resolve())
      expect([stageMs.samples, entityMs.samples]).toEqual([14, 2])
      verifyRows(file, pipelineRows(2, 2))
    },
  )

  test('a store that is slow to answer has committed, and does all the rest as it did', async () => {
    const file = databaseFile(CREATE_TABLES)
    const store = delayedStore(sqlite(file), 1)
    expect(store.name).toContain('each commit answered 1 ms later')
    const db = await open<Tables>(store)
    await db.upsert('jobs', jobAt(0))
    expect(look(file, 'SELECT id FROM jobs')).toEqual([{ id: jobId(0) }])
    expect(await db.read('strong').selectFrom('jobs').select('progress').execute()).toEqual([{ progress: 0 }])
    expect(
      await db.transaction((transaction) => transaction.selectFrom('jobs').select('id').execute()),
    ).toEqual([{ id: jobId(0) }])
    await db.close()
  })
})

describe('goals', () => {
  test('stages are compared round by round, and the median of that is judged', () => {
    const lanes = [laneOf('tidemark/live', [1, 2, 1]), laneOf('tidemark/each', [30, 500, 10])]
    const pipelines = [{ commitMs: SLOW_COMMIT_MS, entities: 1, rowsHash: '', lanes }]
    const goal = liveGoalsOf({ pipelines }).find(({ name }) => name.startsWith('stage to stage'))
    expect(goal).toMatchObject({ measured: 30 })
    expect(goal && judge(goal)).toBe('met')
  })

  test('what was not measured is said to be so', () => {
    const verdicts = liveGoalsOf({}).map((goal) => judge(goal))
    expect(new Set(verdicts)).toEqual(new Set(['not measured']))
  })

  function laneOf(peer: PipelineName, p50s: readonly number[]) {
    const rounds = p50s.map((p50) => ({ stageMs: { p50 }, entityMs: { p50 } }) as Piped)
    return { peer, rounds }
  }
})
