import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'

// The contract of the virtual file holds in every Node that is supported. The newest one runs it with the rest of the
// tests, in a step of its own of .ci/run.

const repository = join(import.meta.dirname, '../..')
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const others = nodePrograms(['20', '22', '24']).slice(1)

if (others.length === 0) test.skip('the contract in other Nodes: set WAVESPOOL_NODES=1')

test.each(others)(
  'the contract of the virtual file: $name',
  async ({ path }) => {
    const args = ['run', 'test/sinks/contract', '--exclude', '**/many*.test.ts', '--no-color']
    const child = spawn(path, [vitest, ...args], {
      cwd: repository,
      env: { ...process.env, VITEST: undefined },
    })
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
    const [code] = await once(child, 'close')
    expect(code, `${await stdout}\n${await stderr}`).toBe(0)
  },
  240_000,
)
