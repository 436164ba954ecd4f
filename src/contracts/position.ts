/** Names one log of writes. Two engines with one writer name fence each other: the newer one wins. */
export type WriterName = string & { readonly __brand: 'WriterName' }

/** Counts the openings of one writer: 1, 2, 3, … Raised by every open, so an older owner can be told apart. */
export type Epoch = number & { readonly __brand: 'Epoch' }

/** Counts the operations of one epoch: 1, 2, 3, … Never reused. 0 stands for "before the first". */
export type Seq = number & { readonly __brand: 'Seq' }

/** Where an operation stands in the order of its writer. Given when the operation is accepted. */
export interface Position {
  readonly writer: WriterName
  readonly epoch: Epoch
  readonly seq: Seq
}
