import { defineConfig } from 'vitest/config'
import { wat } from './wat.mjs'

export default defineConfig({
  plugins: [wat],
  test: {
    setupFiles: ['test/warnings.ts'],
    // a descriptor that was left open shows when it is collected
    execArgv: ['--expose-gc'],
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Much of the time is spent waiting, for sound above all: fewer leave a machine of two cores idle.
    maxWorkers: 3,
  },
})
