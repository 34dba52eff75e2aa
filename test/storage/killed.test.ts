import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { readWavHeader } from '../../src/index.ts'
import { hasTool, run } from '../oracles/tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Records numbered frames in real time, and says every 20 ms how many bytes have been acknowledged. */
const recorder = `
import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
const file = new VirtualFile({ storage: { path: process.argv[1] } })
const header = wavHeader(pcmFormat())
header.pipe(file)
let next = 0
setInterval(() => {
  const block = Buffer.alloc(3200)
  for (let i = 0; i < block.length; i += 2) block.writeUInt16LE(next++ & 0xffff, i)
  header.write(block)
}, 10)
setInterval(() => process.send({ size: file.size, at: performance.timeOrigin + performance.now() }), 20)
`

interface Report {
  size: number
  /** milliseconds since the epoch, on a clock that all processes share */
  at: number
}

/** Records, kills the recorder at a random moment, and returns the bytes that must be in the file. */
async function recordAndKill(path: string): Promise<{ path: string; due: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', recorder, path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const reports: Report[] = []
  child.on('message', (report: Report) => reports.push(report))
  do await once(child, 'message')
  while (reports.at(-1)!.size === 0)
  await sleep(Math.random() * 3000)
  child.kill('SIGKILL')
  const killedAt = performance.timeOrigin + performance.now()
  await once(child, 'close')
  const moments = [...reports.map(({ at }) => at), killedAt]
  const stall = Math.max(...moments.slice(1).map((at, i) => at - moments[i]!))
  return { path, due: reports.filter(({ at }) => at < killedAt - 1000 - stall).at(-1)?.size ?? 0 }
}

/** All frames that a header counts are there and right. */
function framesOf(path: string): { frames: number; bytes: number } {
  const bytes = readFileSync(path)
  const { dataBytes, dataStart } = readWavHeader(bytes)!
  expect(bytes.readUInt32LE(4) + 8).toBe(dataStart + dataBytes)
  expect(bytes.length).toBeGreaterThanOrEqual(dataStart + dataBytes)
  for (let i = 0; i < dataBytes; i += 2) {
    if (bytes.readUInt16LE(dataStart + i) !== ((i / 2) & 0xffff))
      expect.fail(`${path}: frame ${i / 2} is wrong`)
  }
  return { frames: dataBytes / 2, bytes: dataStart + dataBytes }
}

const wave = 'import sys, wave\nfor path in sys.argv[1:]: print(wave.open(path).getnframes())'
const probe = ['-v', 'error', '-show_entries', 'stream=duration_ts', '-of', 'csv=p=0']
const lines = (output: Buffer) => output.toString().trim().split('\n').map(Number)
const hasOracles = hasTool('soxi') && hasTool('ffprobe') && hasTool('python3')

test('killed at a random moment, 50 of 50 leave a WAV with all but the last second', async () => {
  const killed: { path: string; due: number }[] = []
  for (let wave = 0; wave < 5; wave++) {
    const paths = Array.from({ length: 10 }, (_, i) => join(folder, `${wave}-${i}.wav`))
    killed.push(...(await Promise.all(paths.map(recordAndKill))))
  }
  const paths = killed.map(({ path }) => path)
  const frames = killed.map(({ path, due }) => {
    const { frames, bytes } = framesOf(path)
    expect(bytes, path).toBeGreaterThanOrEqual(due)
    return frames
  })
  expect(killed.filter(({ due }) => due > 100_000).length).toBeGreaterThan(0) // there was something to lose
  if (!hasOracles) return
  expect(lines(run('soxi', ['-s', ...paths]))).toEqual(frames)
  expect(lines(run('python3', ['-c', wave, ...paths]))).toEqual(frames)
  expect(paths.map((path) => lines(run('ffprobe', [...probe, path]))[0])).toEqual(frames)
})
