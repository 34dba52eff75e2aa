import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { makeWavHeader } from '../../src/format/wavHeader.ts'
import { Packed } from '../cli/packed.ts'
import { traceSystemCalls, whyNoTrace } from './systemCalls.ts'

const format = pcmFormat()
const pcm = Buffer.from(Int16Array.from({ length: 16_000 * 3 }, (_, i) => (i * 7) % 3000).buffer)
const wav = Buffer.concat([makeWavHeader(format, { dataBytes: pcm.length }), pcm])

let packed: Packed
beforeAll(() => {
  packed = Packed.install()
})
afterAll(() => packed?.[Symbol.asyncDispose]())

/** Runs the command on a disk that takes `writes` writes of files and no more. One thread makes all of them. */
function runOnFullDisk(writes: number, args: string[]) {
  return traceSystemCalls([process.execPath, packed.command, ...args], {
    inject: `inject=pwrite64:error=ENOSPC:when=${writes + 1}+`,
    env: { UV_THREADPOOL_SIZE: '1' },
    cwd: packed.folder,
  })
}

const isWhole = (bytes: Buffer) =>
  bytes.length > 44 &&
  bytes.readUInt32LE(4) === bytes.length - 8 &&
  bytes.readUInt32LE(40) === bytes.length - 44

describe.skipIf(whyNoTrace)(`a disk that is full after some writes ${whyNoTrace ?? ''}`, () => {
  test('split leaves whole parts, and the old parts as they were', () => {
    writeFileSync(packed.path('in.wav'), wav)
    const counts = new Set<number>()
    for (const writes of [0, 1, 2, 3, 5, 8]) {
      const folder = `split-${writes}`
      mkdirSync(packed.path(folder))
      writeFileSync(packed.path(`${folder}/in-0003.wav`), 'old')
      const { status, stderr } = runOnFullDisk(writes, [
        'split',
        'in.wav',
        '--every',
        '1',
        '-f',
        '-o',
        folder,
      ])
      expect(status).toBe(1)
      expect(stderr).toMatch(/^wavespool split: cannot write .*in-000\d\.wav: no space left on device\n$/)
      const parts = readdirSync(packed.path(folder)).sort()
      for (const name of parts) {
        const bytes = readFileSync(packed.path(`${folder}/${name}`))
        expect([name, isWhole(bytes) || bytes.toString() === 'old']).toEqual([name, true])
      }
      counts.add(parts.length)
    }
    expect(counts.size).toBeGreaterThan(1)
  })

  test('convert leaves the old file, and no other file beside it', () => {
    writeFileSync(packed.path('in.wav'), wav)
    for (const writes of [0, 1, 2]) {
      mkdirSync(packed.path(`convert-${writes}`))
      const out = `convert-${writes}/out.wav`
      writeFileSync(packed.path(out), 'old')
      const { status, stderr } = runOnFullDisk(writes, ['convert', 'in.wav', out, '--to-rate', '48000', '-f'])
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: `wavespool convert: cannot write ${out}: no space left on device\n`,
      })
      expect(readdirSync(packed.path(`convert-${writes}`))).toEqual(['out.wav'])
      expect(readFileSync(packed.path(out), 'utf8')).toBe('old')
    }
  })

  test('repair --in-place leaves the samples, and no more faults than there were', () => {
    // odd data without its pad byte, and open sizes: a byte is to be added, and the header put right
    const bytes = pcmFormat({ encoding: 'u8' })
    const samples = pcm.subarray(0, 20_001)
    const broken = Buffer.concat([makeWavHeader(bytes), samples])
    const outcomes = new Set<string>()
    for (const writes of [0, 1, 2, 3]) {
      const name = `repair-${writes}.wav`
      writeFileSync(packed.path(name), broken)
      utimesSync(packed.path(name), 0, 0) // long finished: it is not watched
      const { status, stderr } = runOnFullDisk(writes, ['repair', name, '--in-place'])
      const after = readFileSync(packed.path(name))
      expect(after.subarray(44, 44 + samples.length).equals(samples)).toBe(true)
      if (status === 0) {
        expect([after.readUInt32LE(40), after.length]).toEqual([20_001, broken.length + 1])
        outcomes.add('repaired')
      } else {
        expect(stderr).toMatch(/^wavespool repair: .*no space left on device\n$/)
        const again = packed.path(name)
        expect([again, after.length - broken.length]).toEqual([again, expect.toBeOneOf([0, 1])])
        outcomes.add('refused')
      }
    }
    expect([...outcomes].sort()).toEqual(['refused', 'repaired'])
  })
})
