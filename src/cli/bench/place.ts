/** Where a bench measures: beside what is there, and gone afterwards. */
import type { Store } from '../../contracts/store.ts'

/** @param readers connections, or threads, that read */
export type StoreOf = (readers?: number) => Store

/** One connection without an engine. */
export interface Bare extends AsyncDisposable {
  /** A statement that does nothing. */
  ask(): Promise<void>
  /** A row in a transaction of its own. */
  insert(text: string): Promise<void>
}

export interface Place extends AsyncDisposable {
  readonly kind: 'sqlite' | 'postgres'
  /** It has the table `rows (id, text)`, `id` made up by the database. */
  readonly store: StoreOf
  /** @param isAsynchronous commits are not waited for: what waiting costs; undefined where there is no such thing */
  readonly bare: (isAsynchronous?: boolean) => Promise<Bare | undefined>
}
