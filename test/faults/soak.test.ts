import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'

// The short form of `npm run soak`, which runs what is built. Its seed is printed, and can be set: SOAK_SEED=1.

const seed = process.env.SOAK_SEED ?? String(Date.now() % 2 ** 31)

test.each(nodePrograms(['20', '24']))('3 s of random lives agree with the model: $name', async ({ path }) => {
  const program = new URL('soak.mjs', import.meta.url).pathname
  const child = spawn(path, ['--expose-gc', program, '--seed', seed, '--seconds', '3', '--many', '0'])
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'close')
  const [stdout, stderr] = await said
  console.log(stdout)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(Number(/(\d+) lives/.exec(stdout)?.[1])).toBeGreaterThan(0)
})
