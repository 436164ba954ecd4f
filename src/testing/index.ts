export { conformance } from './conformance.ts'
export type { Runner, Subject, TestDatabase } from './subject.ts'
