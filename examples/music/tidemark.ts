/**
 * What the example uses of Tidemark, from the sources that it lies beside. A project of your own has
 * `from 'tidemark'` and `from 'tidemark/sqlite'` here.
 */
export { InvalidOperationError, open, type Group, type Receipt, type Tidemark } from '../../src/index.ts'
export { sqlite } from '../../src/stores/sqlite/index.ts'
