import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

// It runs in a process of its own, with the build: if it is aborted, the test goes on.

/** Keeps recordings alive, each of them in one piece where asked to, and counts the results. */
const program = `
  import { VirtualFile } from 'wavespool'
  const [, storage, count, isInOnePiece] = process.argv
  const alive = []
  const codes = {}
  const tell = (code) => { codes[code] = (codes[code] ?? 0) + 1 }
  for (let i = 0; i < Number(count); i++) {
    const file = new VirtualFile({ storage })
    file.write(Buffer.alloc(10, i))
    alive.push(file)
    try {
      if (isInOnePiece) file.view()
      tell('well')
    } catch (error) {
      tell(error.code)
    }
    if (i % 500 === 0) await new Promise(setImmediate)
  }
  const target = Buffer.alloc(10)
  for (const [i, file] of alive.entries()) {
    if (file.readSync(target, 0) !== 10 || target.some((byte) => byte !== (i & 255))) tell('lost')
  }
  console.log(JSON.stringify(codes))
  process.exit(0)
`

async function keepAlive(...args: string[]): Promise<unknown> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...args])
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  expect({ stderr: stderr.slice(0, 500), code }).toEqual({ stderr: '', code: 0 })
  return JSON.parse(stdout)
}

test.each(['memory', 'spill'])(
  '30,000 short recordings are alive: %s',
  async (storage) => {
    expect(await keepAlive(storage, '30000')).toEqual({ well: 30_000 })
  },
  180_000,
)

test('25,000 recordings in one piece each can be alive, and one more fails with a typed error', async () => {
  const codes = await keepAlive('memory', '25010', 'in one piece')
  expect(codes).toEqual({ well: 25_000, ERR_WAVESPOOL_FULL: 10 })
}, 180_000)
