import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { whyNotInstalled } from '../../packages.ts'

const here = import.meta.dirname
const why = await whyNotInstalled(here, 'Jest')
if (why) console.warn(why)

test.skipIf(why)(
  'the fake timers of Jest hold up no pipeline, and move the mock sources',
  { timeout: 180_000 },
  async () => {
    const jest = join(here, 'node_modules/jest/bin/jest.js')
    const args = ['--experimental-vm-modules', jest, '--rootDir', here, '--testMatch', '**/fakedTimers.mjs']
    const { stderr } = await promisify(execFile)(
      process.execPath,
      [...args, '--watchman=false', '--cache=false'],
      { cwd: here },
    )
    expect(stderr).toContain('2 passed, 2 total')
  },
)
