import { performance } from 'node:perf_hooks'
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers'

/*
 * The timers of Node itself, as they are when this is imported. The fake timers of a test framework replace the globals,
 * and a stream that waits for a faked one waits for ever; so no module takes them from there. The clock of the mock
 * sources alone does, for tests to move it.
 */
export { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout }

/** Jest gives each test file a `process` of its own, and fakes its `nextTick`; this is the one that Node's streams use. */
export const { nextTick } = process.getBuiltinModule('node:process')

/** Milliseconds since the process began. */
export const now = performance.now.bind(performance)
