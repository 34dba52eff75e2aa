import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'

const program = join(import.meta.dirname, 'fakedTimers.mjs')

test.each(nodePrograms())('faked timers do not stop our streams: $name', async ({ path }) => {
  const { stdout } = await promisify(execFile)(path, [program], { timeout: 30_000 })
  expect(stdout).toBe('all settled\n')
})
