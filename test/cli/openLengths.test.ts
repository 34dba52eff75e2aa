import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { examine } from '../../src/cli/examine.ts'
import { replay, VirtualFile, wavReader } from '../../src/index.ts'
import { pattern } from '../format/arbitraries.ts'
import { chunkOf, entryOf, infoOf } from '../format/riff.ts'
import { chunkOfSize, fmtChunk, riffFile } from '../format/riffFiles.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-open-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pcm = Buffer.from(pattern(1000))
const list = infoOf(entryOf('INAM', 'a title'))
const unknown = chunkOf('Zq9x', Buffer.alloc(25, 65))
const next = riffFile([fmtChunk(), chunkOf('data', pcm)])
const file = (riff: number, data: number, samples: Uint8Array, ...behind: Buffer[]) =>
  Buffer.concat([riffFile([fmtChunk(), chunkOfSize('data', samples, data)], { size: riff }), ...behind])
const none = Buffer.alloc(0)

/** Files that leave their length open, how many of their bytes are samples, and whether another file follows. */
const files: [name: string, bytes: Buffer, samples: number, hasNext: boolean][] = [
  ['samples', file(0xffffffff, 0xffffffff, pcm), 1000, false],
  ['sizes of 0 and samples', file(0, 0, pcm), 1000, false],
  ['sizes of an empty file and samples', file(36, 0, pcm), 1000, false],
  ['another WAV file behind', file(0xffffffff, 0xffffffff, pcm, next), 1000, true],
  [
    'another WAV file behind half a frame',
    Buffer.concat([file(0xffffffff, 0xffffffff, pcm).subarray(0, 1043), next]),
    998,
    true,
  ],
  ['sizes of 0 and another WAV file behind', file(0, 0, pcm, next), 1000, true],
  ['no samples and an unknown chunk', file(0xffffffff, 0, none, unknown), 0, false],
  ['no samples, RIFF 0 and an unknown chunk', file(0, 0, none, unknown, list), 0, false],
  ['no samples, RIFF 36 and a known chunk', file(36, 0, none, list), 0, false],
  ['no samples, a chunk and another WAV file', file(0xffffffff, 0, none, unknown, next), 0, true],
  ['no samples and another WAV file', file(0xffffffff, 0, none, next), 0, true],
]

async function read(bytes: Buffer, step = 333): Promise<{ pcm: Buffer; hasNext: boolean }> {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step))
  const reader = Readable.from(pieces, { objectMode: false }).pipe(wavReader({ onTruncated: 'keep' }))
  let hasNext = false
  reader.on('next', () => {
    hasNext = true
  })
  return { pcm: Buffer.concat(await reader.toArray()), hasNext }
}

describe.each(files)('an open length: %s', (name, bytes, count, hasNext) => {
  const samples = bytes.subarray(44, 44 + count)

  test.each([1, 7, 333, 10_000])('is read in pieces of %i', async (step) => {
    const told = await read(bytes, step)
    expect(told.pcm.equals(samples)).toBe(true)
    expect(told.hasNext).toBe(hasNext)
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step))
    const source = { createReadStream: () => Readable.from(pieces, { objectMode: false }) }
    const played = await replay(source, { pace: 'fast' }).toArray()
    expect(Buffer.concat(played).equals(samples)).toBe(true)
  })

  test('is repaired by the command as by the virtual file', async () => {
    const path = join(folder, `${name}.wav`)
    writeFileSync(path, bytes)
    const found = (await examine(path))!
    expect(found).toMatchObject({
      hasNext,
      samplesEnd: 44 + samples.length + (name.includes('half') ? 1 : 0),
    })
    expect(found.diagnosis.dataBytes).toBe(count)
    expect(found.diagnosis.faults).toHaveLength(name.includes('RIFF 36') ? 0 : 1)
    const repaired = Buffer.from(bytes.subarray(0, found.diagnosis.end))
    for (const patch of found.diagnosis.patches) repaired.set(patch.bytes, patch.at)

    for (const step of [1, 333, 10_000]) {
      const virtual = new VirtualFile()
      for (let at = 0; at < bytes.length; at += step) virtual.write(bytes.subarray(at, at + step))
      await new Promise<void>((resolve) => virtual.end(resolve))
      expect(virtual.duration).toBe(count / 32_000)
      expect((await virtual.toInt16()).length).toBe(count / 2)
      expect(await virtual.toBuffer()).toEqual(repaired)
      await virtual.dispose()
    }
    const again = await read(repaired)
    expect([again.pcm.equals(samples), again.hasNext]).toEqual([true, hasNext])
    writeFileSync(path, repaired)
    expect((await examine(path))!.diagnosis.patches).toEqual([])
  })
})

test('a file behind the samples that maxBytes cuts does not end them', async () => {
  const virtual = new VirtualFile({ maxBytes: 544 })
  virtual.on('error', () => {})
  virtual.write(file(0xffffffff, 0xffffffff, pcm, next))
  await new Promise<void>((resolve) => virtual.once('close', resolve))
  expect(await virtual.toBuffer()).toEqual(riffFile([fmtChunk(), chunkOf('data', pcm.subarray(0, 500))]))
  await virtual.dispose()
})
