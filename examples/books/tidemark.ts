/** All that the example takes from Tidemark. A project of one's own imports `tidemark` and `tidemark/sqlite` instead. */
export { open, type Effect, type Store, type Tidemark } from '../../src/index.ts'
export { sqlite } from '../../src/stores/sqlite/index.ts'
