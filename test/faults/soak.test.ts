import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'

// The short form of `npm run soak`, which runs the build, on all storages. Its seed is printed, and can be set:
// SOAK_SEED=1.

const seed = process.env.SOAK_SEED ?? String(Date.now() % 2 ** 31)

test.each(nodePrograms(['20', '24']))('random lives agree with the model: $name', async ({ path }) => {
  const program = new URL('soak.mjs', import.meta.url).pathname
  const options = ['--seed', seed, '--seconds', '5', '--many', '0', '--no-table']
  const child = spawn(path, ['--expose-gc', program, ...options])
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'close')
  const [stdout, stderr] = await said
  console.log(stdout)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toMatch(/on memory, spill, path, overwrite, own, own, asynchronous/)
  expect(stdout).toMatch(/[1-9]\d* × append/)
})
