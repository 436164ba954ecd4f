/** Bugs in what becomes of effects: lanes, leases, the window, progress, those who wait. */
import type { Mutant } from './mutant.ts'

const lane = 'src/effects/lane.ts'
const loader = 'src/effects/loader.ts'
const holder = 'src/effects/holder.ts'
const window = 'src/effects/window.ts'
const waiting = 'src/effects/waiting.ts'
const dispatcher = 'src/effects/dispatcher.ts'
const calls = 'src/effects/calls.ts'
const line = 'src/effects/line.ts'
const ownTables = 'src/effects/own-tables.ts'

const planted: readonly Omit<Mutant, 'world'>[] = [
  {
    name: 'an ack looks at neither token nor beat',
    file: lane,
    edits: [
      [
        'const hold = moveLane(runs, this.#host, this.#kind, this.number, this.#hold, progress)',
        'const hold = settled.length > 0 ? this.#hold : moveLane(runs, this.#host, this.#kind, this.number, this.#hold, progress)',
      ],
    ],
    within: 300,
  },
  {
    name: 'a lease is taken without waiting',
    file: 'src/effects/sights.ts',
    edits: [['return nowMs - sinceMs >= leaseMs', 'return nowMs - sinceMs >= leaseMs / 10']],
    within: 300,
  },
  {
    name: 'a lane is moved whoever owns it',
    file: ownTables,
    edits: [
      [
        "moveLane: update('tidemark_lanes', ['beat', 'progress'], ['kind', 'lane', 'owner', 'token', 'beat'], 1)",
        "moveLane: update('tidemark_lanes', ['beat', 'progress'], ['kind', 'lane', 'owner', 'token', 'beat'])",
      ],
    ],
    within: 300,
  },
  {
    name: 'the window gives out two of a key at once',
    file: window,
    edits: [['      others.last = item\n', '      others.last = item\n      this.#admit(item, nowMs)\n']],
    within: 100,
  },
  {
    name: 'a key that waits in a row does not hold back those of the outbox',
    file: waiting,
    edits: [['return this.#byKey.has(key)', "return this.#byKey.has(key) && key === 'nobody'"]],
    within: 100,
  },
  {
    name: 'progress skips what is not finished',
    file: line,
    edits: [['first ? justBefore(first) :', 'first ? first :']],
    within: 100,
  },
  {
    name: 'attempts count although the target is down',
    file: calls,
    edits: [
      [
        'if (this.#outage.isDown && !waitsByItself) lane.putBack(items)',
        'if (this.#outage.isDown && items.length < 0) lane.putBack(items)',
      ],
      ['!refusal || this.#outage.isUp', '!refusal || this.#outage.isUp || this.#outage.isDown'],
    ],
    within: 1_000,
  },
  {
    name: 'the first refusals after each opening count',
    file: calls,
    edits: [['!refusal || this.#outage.isUp', '!refusal || !this.#outage.isDown']],
    within: 100,
  },
  {
    name: 'the first calls after each opening that take too long count',
    file: calls,
    edits: [['fail(items, error, this.#outage.isUp)', 'fail(items, error, !this.#outage.isDown)']],
    within: 100,
  },
  {
    name: 'a name that nobody finds is the fault of whoever is sent there',
    file: 'src/effects/overload.ts',
    edits: [["  'ENOTFOUND',\n", '']],
    within: 300,
  },
  {
    name: 'what is broken off since its engine closes counts',
    file: calls,
    edits: [['if (call.signal.aborted) return false', 'if (call.signal.aborted) return true']],
    within: 3_000,
  },
  {
    name: 'a delivery counts as settled before it is committed',
    file: lane,
    edits: [
      [
        '    this.#settled.push(...settled)\n    this.#move()',
        '    this.#settled.push(...settled)\n    this.#window.finish(settled.map(({ item }) => item), 0)\n    this.#move()',
      ],
    ],
    within: 100,
  },
  {
    name: 'which keys wait is forgotten after a restart',
    file: waiting,
    edits: [
      [
        "for (const row of rows) this.add(String(row['effect_key']), effectId(placeIn(row)))",
        "for (const row of rows.slice(0, 0)) this.add(String(row['effect_key']), effectId(placeIn(row)))",
      ],
    ],
    within: 300,
  },
  {
    name: 'effects are delivered before their commit is durable',
    file: loader,
    edits: [['        await look.durable\n', '']],
    within: 100,
  },
  {
    name: 'an effect of which nobody knows whether it is durable counts as durable',
    file: loader,
    edits: [['heads.every(({ isDurable }) => isDurable)', 'heads.length > 0']],
    within: 100,
  },
  {
    name: 'what was finished out of turn is forgotten by the next holder',
    file: loader,
    edits: [['isBegun && isFinished(progress, item)', 'isBegun && isFinished(new Map(), item)']],
    within: 300,
  },
  {
    name: 'somebody waiting is told before an effect in a row of its own is delivered',
    file: 'src/effects/unfinished.ts',
    edits: [["if (state === 'waiting') isPending = true", "if (state === 'nothing') isPending = true"]],
    within: 100,
  },
  {
    name: 'dead effects are not told to who waits',
    file: 'src/effects/unfinished.ts',
    edits: [
      [
        "return dead.length === 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }",
        "return dead.length >= 0 ? { kind: 'none' } : { kind: 'dead', ids: dead.map(effectId) }",
      ],
    ],
    within: 300,
  },
  {
    name: 'segments are swept that some lane has not passed',
    file: holder,
    edits: [['rows.every(({ progress })', 'rows.some(({ progress })']],
    within: 300,
  },
  {
    name: 'after a refused ack the lane goes on with what it believes',
    file: lane,
    edits: [
      [
        'row.token !== token || row.beat !== beat)\n      return this.#lose()',
        'row.token !== token || row.beat !== beat)\n      this.#hold = { token, beat: row?.beat ?? beat }',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'what a handler writes is committed apart from its ack',
    file: lane,
    edits: [
      [
        'await this.#host.commit(runs.runs, writesOf(settled))',
        'await this.#host.commit([], writesOf(settled)).then(() => this.#host.commit(runs.runs))',
      ],
    ],
    within: 300,
  },
  {
    name: 'a result is not kept',
    file: 'src/effects/settlement.ts',
    edits: [['if (settlement.result !== undefined)', 'if (settlement.result === null)']],
    within: 20,
  },
  {
    name: 'an effect that is delayed is delivered at once',
    file: 'src/effects/item.ts',
    edits: [['delayMs === 0 ? 0 : committedAtMs + delayMs', 'delayMs === 0 ? 0 : committedAtMs']],
    within: 100,
  },
  {
    name: 'of those that only the latest counts of, the others are finished when it is given out',
    file: lane,
    edits: [
      [
        "const settlement = one.settlement.kind === 'delivered' ? delivered : held",
        'const settlement = delivered',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'a handler is called after the engine has let its lanes go',
    file: dispatcher,
    edits: [
      [
        'while (!this.#isStopped && !this.#isPaused && this.#calls.hasRoom)',
        'while (!this.#isPaused && this.#calls.hasRoom)',
      ],
      ['if (!this.#isStopped) this.#giving.ask()', 'this.#giving.ask()'],
    ],
    within: 3_000,
  },
  {
    name: 'a kind is looked at before its lanes are known',
    file: dispatcher,
    edits: [['if (!this.#isBegun || this.#isLooking', 'if (this.#isLooking']],
    within: 5_000,
  },
  {
    name: 'a page of segments that is gone counts as the end of the outbox',
    file: 'src/effects/unfinished.ts',
    edits: [
      [
        'if (!segments.every((segment) => segment === undefined || look(segment))) return false',
        'if (!segments.every((segment) => segment !== undefined && look(segment))) return segments.includes(undefined)',
      ],
    ],
    within: 3_000,
  },
  {
    name: 'a row that was just made may be taken twice',
    file: lane,
    edits: [['if (item.slot === undefined) this.#waiting.release(id)', 'this.#waiting.release(id)']],
    within: 3_000,
  },
  {
    name: 'a lane is loaded before it is known what waits in it',
    file: lane,
    edits: [['  #isLoading = true', '  #isLoading = false']],
    within: 300,
  },
  {
    name: 'whoever lost its lane gives out what waits there',
    file: waiting,
    edits: [['         AND ${words.sql}', '         AND 1 + ${words.sql}']],
    within: 10_000,
  },
  {
    name: 'whoever lost its lane loads what the next holder has left of the outbox',
    file: 'src/effects/outbox.ts',
    edits: [['` AND ${condition.words.sql}`', '` AND 1 + ${condition.words.sql}`']],
    within: 3_000,
  },
  {
    name: 'a segment that is gone is passed over by whoever lost its lane',
    file: loader,
    edits: [
      ['if (segments.includes(undefined)) return false\n', ''],
      ['this.#loadSegment(segment as SegmentRow)', 'if (segment) this.#loadSegment(segment)'],
    ],
    within: 20_000,
  },
  {
    name: 'what a look found is passed over when it cannot be read',
    file: loader,
    edits: [
      [
        '    const durable = heads.every(',
        '    for (const head of heads) this.#seen.set(head.epoch, head)\n    const durable = heads.every(',
      ],
    ],
    within: 300,
  },
  {
    name: 'a look that could not be read is never begun anew',
    file: loader,
    edits: [['this.#look = undefined\n      throw error', 'throw error']],
    within: 300,
  },
  {
    name: 'what was taken from a lane is given out when the lane is lost',
    file: dispatcher,
    edits: [['this.#due = this.#due.filter((out) => out.lane !== lane)', '']],
    within: 10_000,
  },
  {
    name: 'the last that is finishing is left out of the progress',
    file: line,
    edits: [['slotOf(last).at + 1 < this.#loaded', 'slotOf(last).at + 2 < this.#loaded']],
    within: 300,
  },
  {
    name: 'whatever stands before the last that is finishing counts as finished',
    file: line,
    edits: [['slotOf(item).commit === commit', 'slotOf(item).commit <= commit']],
    within: 100,
  },
  {
    name: 'what failed once is tried again beside what follows it',
    file: window,
    edits: [
      [
        "    slotOf(item).state = 'parked'\n    return true",
        '    this.finish([item], nowMs)\n    return true',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'what waits for a moment is never let go on',
    file: window,
    edits: [
      [
        'for (const item of this.#parked.takeDue(nowMs)) this.#makeReady(item)',
        'this.#parked.takeDue(nowMs)',
      ],
    ],
    within: 1_000,
  },
  {
    name: 'what waits for a moment gets a row as well',
    file: lane,
    edits: [
      ['settled.filter((one) => !this.#parks(one))', 'settled.filter((one) => this.#parks(one) || true)'],
    ],
    within: 1_000,
  },
  {
    name: 'the next of a key is not let on',
    file: window,
    edits: [["if (slotOf(next).state === 'behind') this.#admit(next, nowMs)", '']],
    within: 100,
  },
]

export const effectsMutants: readonly Mutant[] = planted.map((mutant) => ({ ...mutant, world: 'effects' }))
