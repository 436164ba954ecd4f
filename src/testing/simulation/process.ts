/**
 * A simulated process: the runtime of the engines in it. It can be killed, stopped and resumed at any moment between
 * two tasks, and its wall clock can jump. What belongs to a killed process never runs again.
 */
import type { Runtime, Timer } from '../../contracts/runtime.ts'
import { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** 2026-01-01: a date that a column of milliseconds can hold. */
const epochMs = 1_767_225_600_000

export class SimulatedProcess implements Runtime {
  readonly name: string
  readonly scheduler: Scheduler
  readonly #random: Random
  #isDead = false
  #wallOffsetMs = 0
  /** While it is stopped: what became ready meanwhile. */
  #deferred: (() => void)[] | undefined
  readonly #onDeath: (() => void)[] = []
  #ids = 0

  constructor(name: string, scheduler: Scheduler, seed: number) {
    this.name = name
    this.scheduler = scheduler
    this.#random = new Random(seed)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** @param task undoes what the process holds in the world outside */
  onDeath(task: () => void): void {
    this.#onDeath.push(task)
  }

  kill(): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#deferred = undefined
    for (const task of this.#onDeath) task()
  }

  /** Stops it where it is, with all that it holds; as SIGSTOP. */
  stop(): void {
    this.#deferred ??= []
  }

  resume(): void {
    const ready = this.#deferred ?? []
    this.#deferred = undefined
    // Each in a turn of its own: one that stops the process again defers the rest.
    for (const task of ready) this.scheduler.after(0, () => this.run(task))
  }

  jumpClock(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** Runs a task of this process: at once, when it is resumed, or never. */
  run(task: () => void): void {
    if (this.#isDead) return
    if (this.#deferred) this.#deferred.push(task)
    else task()
  }

  monotonicMs(): number {
    return this.scheduler.nowMs
  }

  wallMs(): number {
    return Math.floor(epochMs + this.scheduler.nowMs + this.#wallOffsetMs)
  }

  after(ms: number, task: () => void, background?: 'background'): Timer {
    let isCancelled = false
    // It may be due while the process stands still, and cancelled when that goes on.
    const unlessCancelled = (): void => {
      if (!isCancelled) task()
    }
    const timer = this.scheduler.after(ms, () => this.run(unlessCancelled), background === 'background')
    return {
      cancel: () => {
        isCancelled = true
        timer.cancel()
      },
    }
  }

  /** A tick takes a moment, in which other tasks may come in between. */
  atEndOfTick(task: () => void): void {
    this.scheduler.after(this.#random.chance(0.5) ? 0 : this.#random.between(0, 0.05), () => this.run(task))
  }

  random(): number {
    return this.#random.next()
  }

  uniqueId(): string {
    return `${this.name}-${++this.#ids}`
  }

  randomHex(bytes: number): string {
    return Array.from({ length: bytes }, () => this.#random.below(256).toString(16).padStart(2, '0')).join('')
  }
}
