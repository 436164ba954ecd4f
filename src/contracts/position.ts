/** Names one log of writes. Two engines with one writer name fence each other: the newer one wins. */
export type WriterName = string & { readonly __brand: 'WriterName' }

/**
 * Names one opening of a database, by any writer. Each is higher than those before it, so an older owner of a writer's
 * name can be told apart, and an epoch alone says which writer it belongs to. By how much it is higher is left to
 * chance: a database that went back in time does not give a number again that it had given before.
 */
export type Epoch = number & { readonly __brand: 'Epoch' }

/** Counts the operations of one epoch: 1, 2, 3, … Never reused. 0 stands for "before the first". */
export type Seq = number & { readonly __brand: 'Seq' }

/** Where an operation stands in the order of its writer. Given when the operation is accepted. */
export interface Position {
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly seq: Seq
}

/**
 * How far a server has come in its own log, and in which of the histories that a failover divides. Whoever copies the
 * server has shown all of it once both numbers are as high.
 */
export interface LogPosition {
  readonly timeline: number
  /** Bytes since the beginning. */
  readonly lsn: number
}

/** A position without its writer's name, which the epoch implies. */
export interface Mark {
  readonly epoch: Epoch
  readonly seq: Seq
}
