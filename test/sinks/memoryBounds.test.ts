import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { platform } from 'node:os'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storage/memoryStorage.ts'

const MIB = 2 ** 20

// The peak is told by /proc, which Linux alone has.
test.skipIf(platform() !== 'linux')(
  '1.5 GiB recorded at the defaults, as a File, and uploaded; 256 MB of memory as a File',
  async () => {
    let received = 0
    const server = createServer(async (request, answer) => {
      for await (const piece of request) received += piece.length
      answer.setHeader('connection', 'close')
      answer.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const program = new URL('memoryBounds.mjs', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, url])
    server.close()
    const { recording, toFile, upload, size, copy } = JSON.parse(stdout)
    expect(size).toBe(1536 * MIB + 80)
    expect(received).toBeGreaterThan(size)
    expect(recording).toBeLessThan(150)
    expect(toFile).toBeLessThan(64)
    expect(upload).toBeLessThan(150)
    expect(copy).toBeLessThan(256 * 1.1) // one copy
  },
)

test('memory holds hardly more than the recorded bytes', () => {
  const storage = new MemoryStorage()
  const chunk = Buffer.alloc(1920, 7)
  for (let size = chunk.length, next = 0; size < 200 * MIB; size += chunk.length) {
    storage.append([chunk])
    if (size < next) continue
    next = size * 1.1
    expect(storage.size).toBe(size)
    expect(storage.view(size).buffer.byteLength).toBeLessThanOrEqual(1.02 * size + 2 * MIB)
  }
  storage.dispose()
})

/** Records until it is refused, where the address space is limited to some MiB more than Node itself needs. */
const limited = `
import { once } from 'node:events'
import { VirtualFile } from 'wavespool'
const file = new VirtualFile({ storage: 'memory' })
const failed = once(file, 'error')
const block = Buffer.alloc(2 ** 20)
for (let i = 0; !file.errored && i < 20_000; i++) {
  block.writeUInt32LE(i)
  if (!file.write(Buffer.from(block))) await Promise.race([once(file, 'drain'), failed])
}
const [error] = await failed
const read = Buffer.alloc(4)
let right = 0
for (let i = 0; (i + 1) * 2 ** 20 <= file.size; i++) if (file.readSync(read, i * 2 ** 20) === 4 && read.readUInt32LE() === i) right++
console.log(JSON.stringify({ code: error.code, size: file.size, right }))
`

test('a recording adapts to a limited address space, and fails with a typed error where it is full', () => {
  const run = (limit: string, program: string) =>
    spawnSync('bash', ['-c', `${limit} exec "$0" --input-type=module -e "$1"`, process.execPath, program], {
      encoding: 'utf8',
    })
  const own = `import { readFileSync } from 'node:fs'; console.log(/VmPeak:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])`
  const kibibytes = Number(run('', own).stdout) + 1.5 * 2 ** 20
  const { stdout, stderr } = run(`ulimit -v ${Math.ceil(kibibytes)};`, limited)
  expect(stderr).toBe('')
  const { code, size, right } = JSON.parse(stdout)
  expect(code).toBe('ERR_WAVESPOOL_FULL')
  expect(size).toBeGreaterThan(250 * MIB)
  expect(right).toBe(Math.floor(size / MIB))
})
