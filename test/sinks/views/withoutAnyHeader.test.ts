import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { convert, encode, limit, pcmFormat, replay, VirtualFile, wavHeader } from '../../../src/index.ts'
import { script, tone } from '../../../src/testing/index.ts'

const format = pcmFormat()
const studio = pcmFormat({ sampleRate: 48_000, channels: 2, encoding: 's24le' })
const second = { duration: { seconds: 1 } }
const OTHER = 'application/octet-stream'

const made: VirtualFile[] = []
afterEach(async () => {
  for (const file of made.splice(0)) await file.dispose()
})
function memo(options = {}): VirtualFile {
  const file = new VirtualFile({ name: 'memo.wav', ...options })
  made.push(file)
  return file
}

describe('raw samples are not labelled as a WAV file', () => {
  test.each(['memory', 'spill'] as const)('by no way of reading (%s)', async (storage) => {
    const file = memo({ storage })
    await pipeline(tone(format, second), file)
    expect(file).toMatchObject({ type: OTHER, size: 32_000, format: undefined })
    expect((await file.toFile()).type).toBe(OTHER)
    expect((await file.toResponse()).headers.get('content-type')).toBe(OTHER)
    const attached = VirtualFile.attach(file.share())
    expect(attached.type).toBe(OTHER)
    expect((await attached.toFile()).type).toBe(OTHER)
    await attached.dispose()
  })

  test('from the first moment, where the format of the input is known', async () => {
    const file = memo()
    const source = tone(format, { pace: 'realtime' })
    source.pipe(file)
    expect(file).toMatchObject({ type: OTHER, size: 0 })
    source.destroy()
  })

  test('from the first bytes, where it is unknown', async () => {
    const file = memo({ type: 'audio/wav' })
    expect(file.type).toBe('audio/wav')
    const attached = VirtualFile.attach(file.share())
    expect(attached.type).toBe('audio/wav')
    file.end(Buffer.alloc(4000))
    await once(file, 'finish')
    expect([file.type, attached.type]).toEqual([OTHER, OTHER])
    await attached.dispose()
  })

  test('a WAV file keeps its type, also in an unknown encoding, and so does a file of another name', async () => {
    const wav = memo()
    await pipeline(tone(format, second), wavHeader(format), wav)
    const adpcm = memo()
    const unknown = wav.view().slice()
    unknown[20] = 17 // wFormatTag: IMA ADPCM
    await pipeline(script([unknown]), adpcm)
    expect(adpcm.format).toBeUndefined()
    const attached = VirtualFile.attach(adpcm.share())
    expect([wav.type, adpcm.type, attached.type]).toEqual(['audio/wav', 'audio/wav', 'audio/wav'])
    await attached.dispose()

    const other = memo({ name: 'memo.pcm', type: 'audio/pcm' })
    await pipeline(tone(format, second), other)
    expect(other.type).toBe('audio/pcm')
    const flac = memo({ name: 'memo.flac' })
    await pipeline(tone(format, second), encode(format, { codec: 'flac' }), flac)
    expect(flac.type).toBe('audio/flac')
  })

  test('a cursor that writes a header makes a WAV file of it', async () => {
    const file = memo()
    await pipeline(tone(format, second), file)
    const wav = await VirtualFile.from(tone(format, second).pipe(wavHeader(format)))
    made.push(wav)
    await file.cursor().write(await wav.toBuffer())
    expect(file.type).toBe('audio/wav')
  })
})

describe('toFloat32() and toInt16() of samples without a header', () => {
  const fault = (words: RegExp) => ({ code: 'ERR_WAVESPOOL_WAV', message: expect.stringMatching(words) })

  test('fail with an error that names wavHeader(), and the format where it is known', async () => {
    const known = memo()
    await pipeline(tone(studio, second), limit(studio, { seconds: 1 }), known)
    await expect(known.toFloat32()).rejects.toMatchObject(fault(/s24le, 2 channels, 48000 Hz.*wavHeader\(/))
    const unknown = memo()
    await pipeline(script([Buffer.alloc(100)]), unknown)
    await expect(unknown.toInt16()).rejects.toMatchObject(fault(/wavHeader\(.*\{ format \}/))
    const replayed = memo()
    const wav = await VirtualFile.from(tone(format, second).pipe(wavHeader(format)))
    made.push(wav)
    await pipeline(replay(wav, { pace: 'fast' }), replayed)
    await expect(replayed.toInt16()).rejects.toMatchObject(fault(/s16le, 1 channel, 16000 Hz.*wavHeader\(/))
  })

  test.each([
    { from: format, options: {} },
    { from: studio, options: {} },
    { from: studio, options: { sampleRate: 8000, channels: 2 } },
    { from: studio, options: { channel: 1 } },
  ])('take { format }, and then equal those of the WAV file', async ({ from, options }) => {
    const raw = memo()
    await pipeline(tone(from, second), raw)
    const wav = memo()
    await pipeline(tone(from, second), wavHeader(from), wav)
    expect(await raw.toFloat32({ ...options, format: from })).toEqual(await wav.toFloat32(options))
    expect(await raw.toInt16({ ...options, format: from })).toEqual(await wav.toInt16(options))
    // of a WAV file it says nothing new
    expect(await wav.toInt16({ ...options, format: from })).toEqual(await wav.toInt16(options))
    const attached = VirtualFile.attach(raw.share())
    expect(await attached.toInt16({ ...options, format: from })).toEqual(await wav.toInt16(options))
    await attached.dispose()
  })

  test('in memory bounds of their own: more than one block, and half a frame at the end', async () => {
    const long = { duration: { seconds: 9 } }
    const raw = memo()
    await pipeline(tone(studio, long), raw)
    const wav = memo()
    await pipeline(tone(studio, long), wavHeader(studio), wav)
    const cut = memo()
    await pipeline(script([await raw.toBuffer(), Buffer.alloc(5)]), cut)
    expect(await cut.toInt16({ format: studio })).toEqual(await wav.toInt16())
    expect((await memo().toInt16({ format })).length).toBe(0)
  })

  test('refuse a format that is known to be wrong', async () => {
    const fault = { code: 'ERR_WAVESPOOL_FORMAT', message: expect.stringContaining('convert(') }
    const raw = memo()
    await pipeline(tone(studio, second), convert(studio, format), raw)
    await expect(raw.toFloat32({ format: studio })).rejects.toMatchObject(fault)
    const wav = memo()
    await pipeline(tone(format, second), wavHeader(format), wav)
    await expect(wav.toFloat32({ format: studio })).rejects.toMatchObject(fault)
    await expect(wav.toFloat32({ format: {} as never })).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_ARG_TYPE',
      message: expect.stringContaining('format'),
    })
    const flac = memo({ name: 'memo.flac' })
    await pipeline(tone(format, second), encode(format, { codec: 'flac' }), flac)
    await expect(flac.toFloat32({ format })).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
  })
})
