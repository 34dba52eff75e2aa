import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, expect, test } from 'vitest'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { pcmFormat, readWavHeader, VirtualFile, type VirtualFileStorage, wavHeader } from '../../src/index.ts'
import { WavTracker } from '../../src/sinks/recording/wavTracker.ts'
import { hasTool, run } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const format = pcmFormat({ sampleRate: 48_000, channels: 2 })
const FRAMES = 5 * 2 ** 28 // 5 GiB of stereo s16le

/** Keeps the beginning and counts the rest, which is all zeros. */
class Counter implements VirtualFileStorage {
  readonly start = Buffer.alloc(4096)
  size = 0

  append(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.size < this.start.length)
        this.start.set(chunk.subarray(0, this.start.length - this.size), this.size)
      this.size += chunk.length
    }
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.min(target.length, this.size - position)
    target.fill(0, 0, count)
    target.set(this.start.subarray(position, position + count))
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    this.start.set(bytes, position)
  }

  truncate(size: number): void {
    this.size = size
  }

  dispose(): void {}
}

async function record(rf64: boolean): Promise<{ file: VirtualFile; start: Buffer; path: string }> {
  const storage = new Counter()
  const file = new VirtualFile({ storage })
  const block = Buffer.alloc(2 ** 25)
  const blocks = Array.from({ length: (FRAMES * format.bytesPerFrame) / block.length }, () => block)
  await pipeline(Readable.from(blocks), wavHeader(format, { rf64 }), file)
  const path = join(folder, `${rf64 ? 'rf64' : 'riff'}.wav`)
  writeFileSync(path, storage.start)
  truncateSync(path, file.size) // the rest is a hole, which reads as zeros
  return { file, start: storage.start, path }
}

test.runIf(hasTool('sndfile-info') && hasTool('ffprobe'))(
  'past 4 GiB a file that reserved the room becomes RF64, which libsndfile and ffmpeg count right',
  async () => {
    const { file, start, path } = await record(true)
    expect(file.size).toBe(80 + FRAMES * format.bytesPerFrame)
    expect(file.duration).toBe(FRAMES / 48_000)
    expect(readWavHeader(start)).toMatchObject({
      container: 'RF64',
      dataStart: 80,
      dataBytes: FRAMES * format.bytesPerFrame,
      riffBytes: file.size - 8,
    })
    // soxi agrees, but reads all 5 GiB before it says so.
    const info = run('sndfile-info', [path]).toString()
    expect(info).toMatch(new RegExp(`Frames *: ${FRAMES}\\n`))
    const probed = run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=duration_ts',
      '-of',
      'csv=p=0',
      path,
    ])
    expect(probed.toString().trim()).toBe(String(FRAMES))
  },
)

test('any other file keeps open sizes, with every byte behind them', async () => {
  const { file, start } = await record(false)
  expect(file.size).toBe(44 + FRAMES * format.bytesPerFrame)
  expect(start.toString('latin1', 0, 4)).toBe('RIFF')
  expect(start.readUInt32LE(4)).toBe(0xffffffff)
  expect(start.readUInt32LE(40)).toBe(0xffffffff)
})

test.each([1, 2, 6])('past 2 GiB the size that sox gives to a pipe of %i channels stays open', (channels) => {
  const { bytesPerFrame } = pcmFormat({ channels })
  const header = Buffer.from(makeWavHeader(pcmFormat({ channels })))
  header.writeUInt32LE(0x7ffff000 - (0x7ffff000 % bytesPerFrame), header.length - 4)
  const tracker = new WavTracker()
  tracker.offer(header)
  const dataBytes = bytesPerFrame * 2 ** 31
  expect(tracker.extent(header.length + dataBytes).dataEnd).toBe(header.length + dataBytes)
})
