/** Bugs in the engine: the line of batches, receipts, the end. */
import type { Mutant } from './mutant.ts'

const committer = 'src/writes/committer.ts'
const batch = 'src/writes/batch.ts'
const queue = 'src/writes/queue.ts'
const engine = 'src/writes/engine.ts'
const turn = 'src/writes/transaction-turn.ts'

export const engineMutants: readonly Mutant[] = [
  {
    name: 'a failed batch is sent again without reading the tidemark',
    file: 'src/writes/recovery.ts',
    edits: [
      [
        'tidemark: await this.#store.recover(known)',
        'tidemark: { ...(await this.#store.recover(known)), watermark: known }',
      ],
    ],
    within: 500,
  },
  {
    name: 'a batch is dropped on the third retry',
    file: 'src/writes/recovery.ts',
    edits: [
      [
        "return { kind: 'found', tidemark: await this.#store.recover(known) }",
        "const found = await this.#store.recover(known)\n        return { kind: 'found', tidemark: this.#attempt < 3 ? found : { ...found, watermark: (found.watermark + 1) as Seq } }",
      ],
    ],
    within: 2_000,
  },
  {
    name: 'receipts are settled when their batch is sent',
    file: committer,
    edits: [
      [
        'this.#watchdog.watch()\n    let answer',
        'this.#watchdog.watch()\n    batch.abandon = () => undefined\n    const { steps } = batch\n    batch.advance(batch.last, [], [])\n    batch.steps = steps\n    let answer',
      ],
    ],
    within: 500,
  },
  {
    name: 'the line goes on behind a failed batch, which comes last',
    file: queue,
    edits: [['this.#sealed = [...entries, ...this.#sealed]', 'this.#sealed = [...this.#sealed, ...entries]']],
    within: 1_000,
  },
  {
    name: 'of the batches that failed together only the first is taken back',
    file: committer,
    edits: [['this.#queue.putBack(this.#refused)\n', 'this.#queue.putBack(this.#refused.slice(0, 1))\n']],
    within: 1_000,
  },
  {
    name: 'a lost reply is said to be surely not committed',
    file: committer,
    edits: [["batch.isUncertain = failure.outcome === 'unknown'", 'batch.isUncertain = false']],
    within: 10_000,
  },
  {
    name: 'batches in flight when the engine stops are said to be not committed',
    file: committer,
    edits: [["this.#abandon(batch, error, 'unknown')", "this.#abandon(batch, error, 'not-committed')"]],
    within: 5_000,
  },
  {
    name: 'a database behind what is known to be committed goes unseen',
    file: committer,
    edits: [
      [
        'if (!exists || watermark < this.#tidemark || watermark > this.#lastSent)',
        'if (!exists || watermark > this.#lastSent)',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'an engine that is fenced goes on',
    file: committer,
    edits: [['if (isClosed) return this.stop(fenced())', 'if (isClosed) this.#watchdog.rest()']],
    within: 1_000,
  },
  {
    name: 'whoever waits for a position is told a little early',
    file: 'src/writes/waiters.ts',
    edits: [['waiter.seq > tidemark)', 'waiter.seq > tidemark + 1)']],
    within: 1_000,
  },
  {
    name: 'operations are regrouped by shape',
    file: batch,
    edits: [
      [
        'const tail = this.#tail\n    if (tail',
        "const tail = this.steps.find((step): step is Run => step.kind === 'run' && step.shape === shape) ?? this.#tail\n    if (tail",
      ],
      ['if (run !== this.#tail) {', 'if (!this.steps.includes(run)) {'],
    ],
    within: 1_000,
  },
  {
    name: 'a batch that is half committed is sent again as a whole',
    file: batch,
    edits: [['this.steps = stepsAfter(this.steps, watermark - this.prev)\n', 'void stepsAfter\n']],
    within: 5_000,
  },
  {
    name: 'ids are told one row off',
    file: batch,
    edits: [
      [
        'return { id: result.firstId + index }',
        'return { id: result.firstId + index + (result.count > 1 ? 1 : 0) }',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'backpressure resumes early',
    file: queue,
    edits: [
      [
        'this.#operations <= this.#options.maxOperations / 2',
        'this.#operations < this.#options.maxOperations',
      ],
    ],
    within: 2_000,
  },
  {
    name: 'the queue takes one call too many',
    file: queue,
    edits: [
      ['if (this.#operations + operations <= maxOperations &&', 'if (this.#operations <= maxOperations &&'],
    ],
    within: 2_000,
  },
  {
    name: 'close does not drain',
    file: engine,
    edits: [['      await this.flush()\n    } finally', '      await Promise.resolve()\n    } finally']],
    within: 500,
  },
  {
    name: 'writes are accepted after close',
    file: engine,
    edits: [['return (this.#refusal ??= closed(', 'return (closed(']],
    within: 2_000,
  },
  {
    name: 'a transaction whose reply was lost is run again',
    file: committer,
    edits: [
      [
        "if (ended.kind === 'not-started') {",
        "if (ended.kind === 'not-started' || ended.kind === 'unknown') {",
      ],
    ],
    within: 5_000,
  },
  {
    name: 'a transaction that was rolled back leaves its position open',
    file: committer,
    edits: [['this.#queue.putBack([empty])\n', 'void empty\n']],
    within: 1_000,
  },
  {
    name: 'a transaction that took too long is committed all the same',
    file: turn,
    edits: [
      [
        '      return this.#rollBack(transaction, error)\n    }\n    if (this.#isAbandoned())',
        '      this.#error = error\n    }\n    if (this.#isAbandoned())',
      ],
    ],
    within: 5_000,
  },
]
