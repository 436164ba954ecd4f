import { describe, test } from 'vitest'
import { conformance } from '../../src/testing/index.ts'
import { memoryAsync } from './subjects.ts'

conformance(memoryAsync, { describe, test })
