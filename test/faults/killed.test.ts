import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readWavHeader } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Blocks its event loop again and again, and is killed as soon as a write that follows a block is acknowledged. */
const program = `
  import { setTimeout } from 'node:timers/promises'
  import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
  const [path, rounds, fsync] = process.argv.slice(1)
  const file = new VirtualFile({ storage: { path, fsync: fsync === 'true' } })
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  const block = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  for (let round = 1; round <= Number(rounds); round++) {
    await new Promise((resolve) => header.write(Buffer.alloc(32_000, round), resolve))
    await setTimeout(100) // behind the header stage, too
    block(1000)
  }
  file.write(Buffer.alloc(100_000, 255), () => process.kill(process.pid, 'SIGKILL'))
`

test.each([
  [1, false],
  [2, false],
  [2, true],
])('a host that blocks, writes and is killed: %i seconds, fsync: %s', (rounds, fsync) => {
  const path = join(folder, `${rounds}-${fsync}.wav`)
  const args = ['--input-type=module', '-e', program, path, String(rounds), String(fsync)]
  const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
  const bytes = readFileSync(path)
  const { dataStart, dataBytes } = readWavHeader(bytes)!
  expect({ dataBytes, size: bytes.length }).toEqual({
    dataBytes: rounds * 32_000 + 100_000,
    size: dataStart + rounds * 32_000 + 100_000,
  })
})
