import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DecodeStage, decode } from '../../src/codec/decode.ts'
import { encode } from '../../src/codec/encode.ts'
import { loadPeer } from '../../src/codec/peer.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { id3Tag } from '../format/riffFiles.ts'
import { hasTool, run } from '../oracles/tools.ts'
import { agreement, chord, fileOf, inPieces, through } from './signal.ts'

const directory = mkdtempSync(join(tmpdir(), 'wavespool-codec-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const format = pcmFormat({ sampleRate: 48_000, channels: 2 })
const FRAMES = 100_003

/**
 * The options by which ffmpeg makes each file, its decoder that the test compares with, and the samples that it adds at
 * the end.
 */
const made = {
  'a.flac': { args: '-c:a flac' },
  'deep.flac': { args: '-c:a flac -sample_fmt s32 -bits_per_raw_sample 24' },
  'small.flac': { args: '-ac 1 -ar 16000 -c:a flac' },
  'flac.ogg': { args: '-c:a flac -f ogg' },
  'vorbis.ogg': { args: '-c:a libvorbis -q 4' },
  'opus.ogg': { args: '-c:a libopus -b:a 96k', decoder: 'libopus' },
  'mono.opus.ogg': { args: '-ac 1 -ar 16000 -c:a libopus -b:a 24k', decoder: 'libopus' },
  'opus.webm': { args: '-c:a libopus -b:a 64k', decoder: 'libopus' },
  'opus.mp4': { args: '-c:a libopus', decoder: 'libopus' },
  'a.mp3': { args: '-c:a libmp3lame -b:a 128k' },
  'mono.mp3': { args: '-ac 1 -ar 16000 -c:a libmp3lame -b:a 48k' },
  'index-first.m4a': { args: '-c:a aac -aac_pns 0 -b:a 128k -movflags +faststart' },
  'index-last.m4a': { args: '-c:a aac -aac_pns 0 -b:a 128k' },
} as const satisfies Record<string, { args: string; decoder?: string }>
type Name = keyof typeof made

const pathOf = (name: string) => join(directory, name)

function judged(name: Name, encoding: string): Buffer {
  const entry: { args: string; decoder?: string } = made[name]
  const decoder = entry.decoder ? ['-c:a', entry.decoder] : []
  const pcm = ['-f', encoding, '-c:a', `pcm_${encoding}`, '-']
  return run('ffmpeg', ['-v', 'error', ...decoder, '-i', pathOf(name), ...pcm])
}

async function decoded(bytes: Uint8Array, sizes = [4096], stage: DecodeStage = decode()) {
  const pcm = await through(stage, inPieces(bytes, sizes))
  return { pcm, stage }
}

/** The samples of a file that may be broken, and the error behind them. */
async function salvaged(bytes: Uint8Array, sizes = [4096]) {
  const stage = decode()
  const chunks: Buffer[] = []
  const error = await new Promise<Error | undefined>((resolve) => {
    stage.on('data', (chunk) => chunks.push(chunk))
    stage.once('error', resolve)
    stage.once('end', () => setImmediate(resolve, undefined))
    for (const piece of inPieces(bytes, sizes)) stage.write(piece)
    stage.end()
  })
  stage.destroy()
  return { pcm: Buffer.concat(chunks), error: error as (Error & { code?: string }) | undefined, stage }
}

describe.runIf(hasTool('ffmpeg'))('decode()', () => {
  beforeAll(async () => {
    writeFileSync(pathOf('in.wav'), await through(wavHeader(format), [chord(format, FRAMES)]))
    for (const [name, { args }] of Object.entries(made)) {
      run('ffmpeg', ['-v', 'error', '-i', pathOf('in.wav'), ...args.split(' '), pathOf(name)])
    }
  })

  const names = Object.keys(made) as Name[]
  test.each(names)('%s: gives the same samples as ffmpeg', async (name) => {
    const { pcm, stage } = await decoded(readFileSync(pathOf(name)))
    const { encoding, bytesPerFrame, sampleRate } = stage.format!
    const theirs = judged(name, encoding)
    if (/flac/.test(name)) expect(pcm.equals(theirs)).toBe(true)
    else {
      // ffmpeg leaves out or leaves in some of the end of an MP4 file, which was made of whole packets
      const expected = /mp4|m4a/.test(name)
        ? Math.round((FRAMES * sampleRate) / 48_000)
        : theirs.length / bytesPerFrame
      expect(pcm.length / bytesPerFrame).toBe(expected)
      expect(agreement(pcm, theirs)).toBeGreaterThan(60)
    }
  })

  test.each(names)('%s: any chunking in, the same samples out', async (name) => {
    const bytes = readFileSync(pathOf(name))
    const { pcm } = await decoded(bytes, [bytes.length])
    for (const sizes of [[1000, 1, 7], [333]])
      expect((await decoded(bytes, sizes)).pcm.equals(pcm)).toBe(true)
    const start = bytes.subarray(0, 20_000)
    const [whole, single] = [await salvaged(start, [20_000]), await salvaged(start, [1])]
    expect(single.pcm.equals(whole.pcm)).toBe(true)
  })

  test("emits 'format' before the first samples, and converts", async () => {
    const stage = decode({ to: pcmFormat() })
    const events: string[] = []
    stage.once('format', ({ sampleRate }) => events.push(`format ${sampleRate}`))
    stage.once('data', () => events.push('data'))
    const { pcm } = await decoded(readFileSync(pathOf('opus.webm')), [999], stage)
    expect(events).toEqual(['format 16000', 'data'])
    expect(pcm.length / 2).toBe(Math.round(FRAMES / 3))
  })

  test('reads WAV files', async () => {
    const { pcm, stage } = await decoded(readFileSync(pathOf('in.wav')), [1001])
    expect(stage.format).toMatchObject({ sampleRate: 48_000, channels: 2, encoding: 's16le' })
    expect(pcm.equals(chord(format, FRAMES))).toBe(true)
  })

  test.each([
    ['in.wav', 'wav', 'pcm'],
    ['small.flac', 'flac', 'flac'],
    ['mono.mp3', 'mp3', 'mp3'],
    ['vorbis.ogg', 'ogg', 'vorbis'],
    ['opus.webm', 'webm', 'opus'],
    ['index-first.m4a', 'mp4', 'aac'],
  ])('%s: names its kind, also behind a tag of any length', async (name, container, codec) => {
    const bytes = readFileSync(pathOf(name))
    const { pcm, stage } = await decoded(bytes)
    expect(stage).toMatchObject({ container, codec })
    const tagged = Buffer.concat([id3Tag(5), id3Tag(70_000), bytes])
    for (const sizes of [[1], [4096], [tagged.length]]) {
      const behind = await decoded(tagged.subarray(0, 100_000), sizes)
      expect(behind.stage).toMatchObject({ container, codec })
      expect(behind.pcm.equals(pcm.subarray(0, behind.pcm.length))).toBe(true)
      expect(behind.pcm.length).toBeGreaterThan(0)
    }
  })

  test.each(['flac', 'mp3', 'opus'] as const)('reads what encode() wrote: %s', async (codec) => {
    const speech = pcmFormat()
    for (const frames of [1, 999, 40_000]) {
      const bytes = await fileOf(encode(speech, { codec }), [chord(speech, frames)])
      const { pcm, stage } = await decoded(bytes, [777])
      expect(pcm.length / stage.format!.bytesPerFrame).toBe(codec === 'opus' ? frames * 3 : frames)
    }
  })

  test('goes on behind lost pages of Ogg and lost blocks of WebM, and reports them', async () => {
    writeFileSync(pathOf('long.wav'), await through(wavHeader(format), [chord(format, 5 * 48_000)]))
    for (const name of ['long.ogg', 'long.webm']) {
      run('ffmpeg', ['-v', 'error', '-i', pathOf('long.wav'), '-c:a', 'libopus', pathOf(name)])
      const bytes = readFileSync(pathOf(name))
      const [start, end] = [Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.5)]
      const whole = await decoded(bytes)
      const { pcm, error, stage } = await salvaged(
        Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]),
      )
      expect(error).toBeUndefined()
      expect(stage.gaps.length).toBeGreaterThanOrEqual(1)
      expect(pcm.length).toBeGreaterThan(whole.pcm.length * 0.3)
      expect(pcm.length).toBeLessThan(whole.pcm.length)
      const tail = whole.pcm.subarray(-8 * 4000) // by then the decoder has settled
      expect(agreement(pcm.subarray(-8 * 4000), tail)).toBeGreaterThan(20)
    }
  })

  test.each(names)('%s: a file that is cut short gives the samples in front of the cut', async (name) => {
    const bytes = readFileSync(pathOf(name))
    const whole = await decoded(bytes)
    const { pcm, error } = await salvaged(bytes.subarray(0, Math.floor(bytes.length * 0.6)))
    if (error) expect(error).toMatchObject({ code: expect.stringMatching(/ERR_WAVESPOOL_(CODEC|TRUNCATED)/) })
    // with the index at the end nothing is there, and ffmpeg puts all of this Vorbis on one page
    if (name !== 'index-last.m4a' && name !== 'opus.mp4' && name !== 'vorbis.ogg') {
      expect(pcm.length).toBeGreaterThan(whole.pcm.length * 0.2)
      if (name !== 'a.mp3' && name !== 'mono.mp3') {
        expect(pcm.equals(whole.pcm.subarray(0, pcm.length))).toBe(true)
      }
    }
  })

  test.each(names)('%s: broken in any way, ends with a typed error or with samples', async (name) => {
    const bytes = readFileSync(pathOf(name)).subarray(0, 30_000)
    let seed = 1
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    for (let run = 0; run < 25; run++) {
      const broken = Buffer.from(bytes)
      for (let i = 0; i <= run % 5; i++) {
        const at = random(run % 2 === 0 ? Math.min(600, broken.length) : broken.length)
        broken[at] = run % 3 === 0 ? random(256) : broken[at]! ^ (1 << random(8))
      }
      const { error } = await salvaged(broken.subarray(0, run % 4 === 0 ? random(broken.length) : undefined))
      if (error) expect(error.code, error.stack).toMatch(/^ERR_WAVESPOOL_/)
    }
  })

  test.each([
    ['index-first.m4a', 'stsc', 16],
    ['fragmented.mp4', 'trun', 8],
  ])('%s: a %s that counts thousands of millions of samples is an error at once', async (name, box, at) => {
    if (name === 'fragmented.mp4') {
      const args = '-c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof'.split(' ')
      run('ffmpeg', ['-v', 'error', '-i', pathOf('in.wav'), ...args, pathOf(name)])
    }
    const bytes = Buffer.from(readFileSync(pathOf(name)))
    bytes.writeUInt32BE(0xfffffff0, bytes.indexOf(box) + at)
    const { error } = await salvaged(bytes, [bytes.length])
    expect(error).toMatchObject({ code: 'ERR_WAVESPOOL_CODEC', message: expect.stringMatching(/index/) })
  })

  test('input that is no audio file fails with a typed error', async () => {
    for (const text of ['', 'hello', 'this is a text, and no audio file at all', 'ID3', 'OggS']) {
      expect((await salvaged(Buffer.from(text))).error).toMatchObject({ code: 'ERR_WAVESPOOL_CODEC' })
    }
  })

  test('wrong options are refused at once', () => {
    expect(() => decode({ too: pcmFormat() } as never)).toThrow(/did you mean to/)
    expect(() => decode({ to: 1 } as never)).toThrow(TypeError)
    expect(() => decode({ channel: 0 })).toThrow(/\{ to \}/)
  })
})

test('a package that is not installed is named, with the command that installs it', async () => {
  const missing = loadPeer('no-such-codec', 'decoding it', () => import('no-such-codec' as string))
  await expect(missing).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_CODEC',
    message: 'decoding it needs the package no-such-codec: npm install no-such-codec',
  })
})
