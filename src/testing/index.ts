export { conformance } from './conformance.ts'
export { FakeProcessor } from './fake-processor.ts'
export type { Runner, Subject, TestDatabase } from './subject.ts'
export { effectOf, targetConformance, type TargetPlace, type TargetSubject } from './targets.ts'
