import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type DecodeGap, decode } from '../../src/codec/decode.ts'
import { type PcmFormat, pcmFormat } from '../../src/format/pcmFormat.ts'
import { hasTool } from '../oracles/tools.ts'
import { headerOf, partsOf, variableBlocks } from './flacFiles.ts'
import { chord, inPieces } from './signal.ts'

const stereo = pcmFormat({ sampleRate: 48_000, channels: 2 })
const speech = pcmFormat()
const deep = pcmFormat({ sampleRate: 44_100, encoding: 's24le' })

function flac(format: PcmFormat, pcm: Buffer, args: string[] = []): Buffer {
  const { encoding, sampleRate, channels, bytesPerSample } = format
  const input = ['-f', encoding, '-ar', `${sampleRate}`, '-ac', `${channels}`, '-i', '-']
  const bits = bytesPerSample === 3 ? ['-sample_fmt', 's32', '-bits_per_raw_sample', '24'] : []
  const all = ['-v', 'error', ...input, ...bits, '-c:a', 'flac', ...args, '-f', 'flac', '-']
  const file = spawnSync('ffmpeg', all, { input: pcm, maxBuffer: 2 ** 26 }).stdout
  file.writeUInt32BE(pcm.length / format.bytesPerFrame, 22) // which it does not know in a pipe
  return file
}

/** Of a broken frame ffmpeg would else give samples that were never recorded. */
function inFfmpeg(file: Buffer, { encoding }: PcmFormat): Buffer {
  const output = ['-f', encoding, '-c:a', `pcm_${encoding}`, '-']
  const args = ['-v', 'quiet', '-err_detect', 'crccheck', '-f', 'flac', '-i', '-', ...output]
  return spawnSync('ffmpeg', args, { input: file, maxBuffer: 2 ** 26 }).stdout
}

async function salvaged(file: Buffer, sizes: number[]) {
  const stage = decode()
  const chunks: Buffer[] = []
  const gaps: DecodeGap[] = []
  stage.on('gap', (gap) => gaps.push(gap))
  const code = await new Promise<string | undefined>((resolve) => {
    stage.on('data', (chunk) => chunks.push(chunk))
    stage.once('error', (error: Error & { code: string }) => resolve(error.code))
    stage.once('end', () => setImmediate(resolve, undefined))
    for (const piece of inPieces(file, sizes)) stage.write(piece)
    stage.end()
  })
  return { pcm: Buffer.concat(chunks), gaps, code }
}

/** The recording without the frames that are missing. */
function without(gaps: readonly DecodeGap[], pcm: Buffer, { bytesPerFrame }: PcmFormat): Buffer {
  const kept: Buffer[] = []
  let taken = 0
  let missing = 0
  for (const { at, frames } of gaps) {
    kept.push(pcm.subarray((taken + missing) * bytesPerFrame, (at + missing) * bytesPerFrame))
    taken = at
    missing += frames!
  }
  return Buffer.concat([...kept, pcm.subarray((taken + missing) * bytesPerFrame)])
}

const FRAMES = 60_000

interface Sample {
  name: string
  format: PcmFormat
  pcm: Buffer
  file: Buffer
}

function sample(name: string, format: PcmFormat, make: (pcm: Buffer) => Buffer): Sample {
  const pcm = chord(format, FRAMES)
  return { name, format, pcm, file: make(pcm) }
}

describe.runIf(hasTool('ffmpeg'))('broken FLAC', () => {
  const samples = hasTool('ffmpeg')
    ? [
        sample('stereo', stereo, (pcm) => flac(stereo, pcm, ['-frame_size', '1152'])),
        sample('mono', speech, (pcm) => flac(speech, pcm)),
        sample('24 bits', deep, (pcm) => flac(deep, pcm, ['-frame_size', '2048'])),
        sample('variable block size', speech, (pcm) =>
          variableBlocks(
            [1024, 512, 2048].map((size, i) =>
              flac(speech, pcm.subarray(i * 40_960, i === 2 ? undefined : (i + 1) * 40_960), [
                '-frame_size',
                `${size}`,
              ]),
            ),
            2048,
          ),
        ),
      ]
    : []

  /** Each frame of the file with its samples. */
  function framesOf({ file, pcm, format }: Sample) {
    let at = 0
    return partsOf(file).frames.map((frame) => {
      const start = at
      at += headerOf(frame).blockSize * format.bytesPerFrame
      return { bytes: frame, pcm: pcm.subarray(start, at) }
    })
  }

  test.each(samples)('$name: every frame that ffmpeg still gives, and the rest as gaps', async (each) => {
    const { file, format, pcm } = each
    const frames = framesOf(each)
    const start = partsOf(file).metadata.length
    let seed = 7
    const below = (limit: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * limit)
    }
    const noise = () => Buffer.from(Array.from({ length: 1 + below(3000) }, () => below(256)))
    let given = 0
    for (let run = 0; run < 20; run++) {
      let broken = Buffer.from(file)
      for (let changes = 1 + below(3); changes > 0; changes--) {
        const at = start + below(broken.length - start)
        const [before, behind] = [broken.subarray(0, at), broken.subarray(at)]
        const kind = below(4)
        if (kind === 0) broken[at] = broken[at]! ^ (1 << below(8))
        else if (kind === 1) broken = Buffer.concat([before, noise(), behind])
        else if (kind === 2) broken = Buffer.concat([before, behind.subarray(below(5000))])
        else broken.set(noise().subarray(0, behind.length), at)
      }
      const theirs = inFfmpeg(broken, format)
      const ours = await salvaged(broken, [1 + below(4000)])
      const label = `run ${run}: ${JSON.stringify(ours.gaps)}`
      expect([undefined, 'ERR_WAVESPOOL_TRUNCATED'], label).toContain(ours.code)
      const expected = without(ours.gaps, pcm, format)
      if (ours.code === undefined) expect(ours.pcm.equals(expected), label).toBe(true)
      else expect(ours.pcm.equals(expected.subarray(0, ours.pcm.length)), label).toBe(true)
      for (const frame of frames) {
        if (!theirs.includes(frame.pcm)) continue
        given += 1
        expect(ours.pcm.includes(frame.pcm), `${label}: ffmpeg gives a frame more`).toBe(true)
      }
    }
    expect(given).toBeGreaterThan(6 * frames.length)
  })

  test.each(samples)('$name: a broken frame is one gap, in any chunking', async (each) => {
    const { file, format, pcm } = each
    const frames = framesOf(each)
    const broken = Buffer.from(file)
    const lost = frames[5]!
    const at = broken.indexOf(lost.bytes) + 100
    broken[at] = broken[at]! ^ 1
    const { bytesPerFrame } = format
    const gap = { at: pcm.indexOf(lost.pcm) / bytesPerFrame, frames: lost.pcm.length / bytesPerFrame }
    for (const sizes of [[1, 100, 7], [4096], [broken.length]]) {
      const ours = await salvaged(broken, sizes)
      expect(ours.code).toBeUndefined()
      expect(ours.gaps).toEqual([gap])
      expect(ours.pcm.equals(without([gap], pcm, format))).toBe(true)
    }
  })

  test.each(samples)('$name: bytes behind the last frame or between two are left out', async (each) => {
    const { file, pcm } = each
    const { metadata, frames } = partsOf(file)
    const noise = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i * 7919) >> 5))
    for (const extra of [Buffer.alloc(1), Buffer.alloc(100_000), noise, Buffer.from('APETAGEX, and more')]) {
      const behind = await salvaged(Buffer.concat([file, extra]), [4096])
      expect(behind).toMatchObject({ code: undefined, gaps: [] })
      expect(behind.pcm.equals(pcm)).toBe(true)
      const between = Buffer.concat([metadata, ...frames.slice(0, 4), extra, ...frames.slice(4)])
      const ours = await salvaged(between, [4096])
      expect(ours).toMatchObject({ code: undefined, gaps: [] })
      expect(ours.pcm.equals(pcm)).toBe(true)
    }
  })

  test('a stream of which no frame is sound is a typed error', async () => {
    const { metadata, frames } = partsOf(samples[0]!.file)
    const broken = frames.map((frame) => {
      const copy = Buffer.from(frame)
      copy[60] = copy[60]! ^ 1
      return copy
    })
    const noFrame = await salvaged(Buffer.concat([metadata, ...broken, Buffer.alloc(100)]), [4096])
    expect(noFrame).toMatchObject({ code: 'ERR_WAVESPOOL_CODEC', pcm: Buffer.alloc(0) })
  })

  test('headers without frames, forged by the thousand, end with a typed error', async () => {
    const { metadata, frames } = partsOf(samples[1]!.file)
    const header = frames[1]!.subarray(0, headerOf(frames[1]!).bytes)
    const forged = Buffer.concat([metadata, ...Array(200_000).fill(header)])
    const { code, pcm } = await salvaged(forged, [65_536])
    expect(code).toMatch(/^ERR_WAVESPOOL_(CODEC|TRUNCATED)$/)
    expect(pcm.length).toBe(0)
  })
})
