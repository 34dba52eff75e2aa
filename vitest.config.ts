import { defineConfig } from 'vitest/config'
import { watForVite } from './wat.mjs'

export default defineConfig({
  plugins: [watForVite],
  test: {
    setupFiles: ['test/warnings.ts'],
    // a descriptor that was left open shows when it is collected
    execArgv: ['--expose-gc'],
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Much of the time is spent waiting for sound: fewer leave the machine idle.
    maxWorkers: 2,
  },
})
