import { spawnSync } from 'node:child_process'
import { platform } from 'node:os'
import { expect, test } from 'vitest'

// Each kind in a process of its own, which runs the build; `npm run soak` makes 10,000 of each.

const kinds = ['memory', 'spill', 'spilled early', 'path', 'overwrite', 'own']

// The descriptors are told by /proc, which Linux alone has.
test.skipIf(platform() !== 'linux').each(kinds)('500 short VirtualFiles leave nothing behind: %s', (kind) => {
  const program = new URL('manyFiles.mjs', import.meta.url).pathname
  const args = ['--expose-gc', '--no-warnings', program, kind, '500']
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
})
