/** Bugs in the store: fences, transactions, dead letters. */
import type { Mutant } from './mutant.ts'

const executor = 'src/stores/sqlite/executor.ts'
const apply = 'src/stores/sqlite/apply.ts'
const bookkeeping = 'src/stores/sqlite/bookkeeping.ts'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'the fence is a plain update, and nobody looks whether it changed a row',
    file: executor,
    edits: [['if (changes !== 1)', 'if (changes < 0)']],
    within: 500,
  },
  {
    name: 'the fence comes last, as a plain update',
    file: executor,
    edits: [
      [
        'this.begin(batch.prev, batch.last)\n    const application',
        "this.database.exec('BEGIN IMMEDIATE')\n    const application",
      ],
      [
        'application.apply(batch.steps)\n',
        'application.apply(batch.steps)\n    this.#prepareFence().run(batch.last, this.#epoch, this.#writer, batch.prev)\n',
      ],
    ],
    within: 500,
  },
  {
    name: 'the fence does not ask whether the epoch has ended',
    file: executor,
    edits: [[' AND watermark = ? AND closed = 0', ' AND watermark = ?']],
    within: 500,
  },
  {
    name: 'the fence takes any earlier tidemark for its predecessor',
    file: executor,
    edits: [[' AND watermark = ? AND closed = 0', ' AND watermark <= ? AND closed = 0']],
    within: 1_000,
  },
  {
    name: 'BUSY at COMMIT is taken for success',
    file: executor,
    edits: [
      [
        'const isBusy = isSqliteError(error) && (error.errcode & 0xff) === 5\n',
        'const isBusy = isSqliteError(error) && (error.errcode & 0xff) === 5\n        if (isBusy) return\n',
      ],
    ],
    within: 500,
  },
  {
    name: 'a COMMIT that failed is said to be surely not committed',
    file: executor,
    edits: [["isBusy ? 'not-committed' : 'unknown'", "isBusy ? 'not-committed' : 'not-committed'"]],
    within: 20_000,
  },
  {
    name: 'constraints that are checked at COMMIT are checked for the whole batch',
    file: executor,
    edits: [
      ['if (this.#schema.hasDeferred && batch', 'if (batch.prev < 0 && batch'],
      [
        'return this.#commitApart(batch)\n          if (step.kind',
        'for (const seq of culpritsOf(error, batch)) condemned.set(seq, error.reason)\n          else if (step?.kind',
      ],
      [
        'else for (const seq of culpritsOf(error, batch)) condemned.set(seq, error.reason)\n        } else {',
        'else for (const seq of culpritsOf(error, batch)) condemned.set(seq, error.reason)\n        } else {',
      ],
    ],
    within: 2_000,
  },
  {
    name: 'an operation that ends the transaction goes unseen',
    file: apply,
    edits: [['if (!this.#context.database.isTransaction) throw', 'if (this.#seq < 0) throw']],
    within: 2_000,
  },
  {
    name: 'statement errors are swallowed: no dead letter is written',
    file: apply,
    edits: [
      [
        '`INSERT INTO tidemark_dead_letters (writer, epoch, seq, table_name, code, message, content, attempts, rejected_at)\n         VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`',
        '`INSERT INTO tidemark_dead_letters (writer, epoch, seq, table_name, code, message, content, attempts, rejected_at)\n         SELECT ?, ?, ?, ?, ?, ?, ?, 1, ? WHERE 0`',
      ],
    ],
    within: 500,
  },
  {
    name: 'what a refused group has done stays',
    file: apply,
    edits: [["database.exec('ROLLBACK TO tidemark_operation')", 'void database']],
    within: 500,
  },
  {
    name: 'a bad row takes its neighbour in the statement with it',
    file: apply,
    edits: [
      [
        'for (let row = index; row < index + rows; row++)',
        'for (let row = index + (rows > 1 ? 1 : 0); row < index + rows; row++)',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'two operations on one key in one set-based statement: the rows of a run are applied in no order',
    file: apply,
    edits: [
      [
        'const chunk = rows === count ? values : values.slice(index * width, (index + rows) * width)',
        'const chunk = Array.from({ length: rows }, (_, row) => values.slice((index + rows - 1 - row) * width, (index + rows - row) * width)).flat()',
      ],
    ],
    within: 5_000,
  },
  {
    name: 'a redriven letter stays',
    file: apply,
    edits: [
      [
        "'DELETE FROM tidemark_dead_letters WHERE id = ?'",
        "'UPDATE tidemark_dead_letters SET attempts = attempts + 1 WHERE id = ?'",
      ],
    ],
    within: 2_000,
  },
  {
    name: 'the checkpoint of a load is committed only when it is the first',
    file: apply,
    edits: [['value = excluded.value, updated_at', 'value = value, updated_at']],
    within: 2_000,
  },
  {
    name: 'opening a name does not end its earlier epochs',
    file: bookkeeping,
    edits: [
      [
        "'UPDATE tidemark_writers SET closed = 1 WHERE writer = ? AND closed = 0'",
        "'UPDATE tidemark_writers SET closed = 0 WHERE writer = ? AND closed = 0'",
      ],
    ],
    within: 1_000,
  },
  {
    name: 'positions are reused after a reopening: the epoch stays',
    file: bookkeeping,
    edits: [
      ['.run(epochStep)', '.run(lastEpoch(database) === 0 ? epochStep : 0)'],
      [
        '    forgetOldest(database)\n',
        "    forgetOldest(database)\n    database.prepare('DELETE FROM tidemark_writers WHERE epoch = ?').run(epoch)\n",
      ],
    ],
    within: 500,
  },
  {
    name: 'epochs count by ones, so that a restored database gives one a second time',
    file: bookkeeping,
    edits: [['.run(epochStep)', '.run(1)']],
    within: 20_000,
  },
  {
    name: 'recovery overlooks the first rejection behind the tidemark',
    file: bookkeeping,
    edits: [['WHERE writer = ? AND epoch = ? AND seq > ?', 'WHERE writer = ? AND epoch = ? AND seq > ? + 1']],
    within: 5_000,
  },
  {
    name: 'a snapshot does not look whether it holds what was required',
    file: 'src/sql/bookkeeping.ts',
    edits: [
      [
        'tidemark.epoch === epoch && tidemark.watermark >= seq',
        'tidemark.epoch === epoch && tidemark.watermark >= 0 * seq',
      ],
    ],
    within: 5_000,
  },
]
