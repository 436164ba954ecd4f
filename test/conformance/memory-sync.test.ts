import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { memorySync } from './subjects.ts'

conformance(memorySync, { describe, test })
