import { afterAll } from 'vitest'

// A warning of Node's (listeners that pile up, a descriptor that the collector closes, a deprecated call) is a fault
// of ours: any of them fails the test file in which it comes. An unhandled rejection does so by itself.

const warnings: Error[] = []

/** Features that a Node release calls experimental are its own affair. */
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') warnings.push(warning)
})

afterAll(async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await new Promise(setImmediate)
  }
  if (warnings.length > 0) throw new AggregateError(warnings, warnings.map(String).join('\n'))
})
