import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import type { Codec } from '../../src/codec/codecs.ts'
import { decode } from '../../src/codec/decode.ts'
import { encode } from '../../src/codec/encode.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { limit } from '../../src/streams/limit.ts'
import { wavHeader } from '../../src/streams/wavHeader.ts'
import { hasTool } from '../oracles/tools.ts'
import { FailingStorage, storages } from '../sinks/storageContract.ts'
import { chord, fileOf, inPieces, withoutSerial } from './signal.ts'

const format = pcmFormat()
const pcm = chord(format, 16_001)
const source = () => Readable.from(inPieces(pcm, [4001]), { objectMode: false })
const codecs: Codec[] = ['flac', 'mp3', 'opus']
const encoded = (codec: Codec) => fileOf(encode(format, { codec }), inPieces(pcm, [4001]))
const isSame = (a: Buffer, b: Buffer) => withoutSerial(a).equals(withoutSerial(b))

describe.each(storages)('recorded into a VirtualFile: $label', (storage) => {
  test.each(codecs)('%s has its length at its start once it has ended', async (codec) => {
    const file = new VirtualFile({ name: `memo.${codec}`, storage: storage.make() })
    const cap = limit(format, { seconds: 60 })
    await pipeline(
      source(),
      codec === 'mp3' ? chain([cap, encode(format, { codec })]) : encode(format, { codec }),
      file,
    )
    const bytes = await file.toBuffer()
    expect(isSame(bytes, await encoded(codec))).toBe(true)
    if (codec === 'flac' && hasTool('flac')) {
      expect(await file.withPath((path) => spawnSync('flac', ['-t', '-s', '-w', path]).status)).toBe(0)
    }
    await file.dispose()
  })
})

test.each(['flac', 'mp3'] as const)('%s that maxBytes cuts has no length in its header', async (codec) => {
  const whole = await encoded(codec)
  const file = new VirtualFile({ name: `memo.${codec}`, maxBytes: whole.length - 100 })
  const stage = encode(format, { codec })
  const first = once(stage, 'data').then(([chunk]) => chunk as Buffer)
  await expect(pipeline(source(), stage, file)).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_FULL' })
  const { length } = stage.head!
  const bytes = await file.toBuffer()
  const start = bytes.subarray(0, length)
  expect(start.equals(whole.subarray(0, length))).toBe(false)
  const written = await first
  expect(start.subarray(0, written.length).equals(written.subarray(0, length))).toBe(true)
  await file.dispose()
})

test.each(codecs)('%s is encoded and decoded in a chain', async (codec) => {
  const cap = () => limit(format, { seconds: 60 })
  const out = new VirtualFile({ name: 'memo.bin' })
  await pipeline(source(), chain([cap(), encode(format, { codec })]), out)
  expect(isSame(await out.toBuffer(), await encoded(codec))).toBe(true)
  const back = new VirtualFile()
  await pipeline(out.createReadStream(), chain([decode({ to: format }), cap(), wavHeader(format)]), back)
  expect(back.size).toBe(44 + pcm.length)
  await Promise.all([out.dispose(), back.dispose()])
})

test.runIf(hasTool('flac'))('FLAC that is still being written can be read as far as it goes', async () => {
  const file = new VirtualFile({ name: 'live.flac' })
  const stage = encode(format, { codec: 'flac' })
  stage.pipe(file)
  for (const piece of inPieces(chord(format, 50_000), [32_000])) {
    await new Promise((resolve) => stage.write(piece, resolve))
    if (file.size < 100) continue // the head alone
    const judged = await file.withPath((path) => spawnSync('flac', ['-t', path], { encoding: 'utf8' }))
    expect(judged.stderr).toMatch(/\bok\b/)
    expect(judged.status).toBe(0)
  }
  const whole = await fileOf(encode(format, { codec: 'flac' }), [chord(format, 50_000)])
  stage.end()
  await finished(file)
  expect((await file.toBuffer()).equals(whole)).toBe(true)
  await file.dispose()
})

describe('a recording, compressed', () => {
  const files: Record<Codec, [string, string]> = {
    flac: ['memo.flac', 'audio/flac'],
    mp3: ['memo.mp3', 'audio/mpeg'],
    opus: ['memo.ogg', 'audio/ogg'],
  }
  async function memo(): Promise<VirtualFile> {
    const file = new VirtualFile({ name: 'memo.wav' })
    await pipeline(source(), wavHeader(format), file)
    return file
  }

  test.each(codecs)('%s as a File, a Buffer, a Response and under a path', async (codec) => {
    const file = await memo()
    const expected = await encoded(codec)
    const [name, type] = files[codec]
    const whole = await file.toFile({ codec })
    expect([whole.name, whole.type, whole.size]).toEqual([name, type, expected.length])
    expect(isSame(Buffer.from(await whole.arrayBuffer()), expected)).toBe(true)
    expect(isSame(await file.toBuffer({ codec }), expected)).toBe(true)
    let copied = ''
    await file.withPath(
      (path) => {
        copied = path
        expect(basename(path)).toBe(name)
        expect(isSame(readFileSync(path), expected)).toBe(true)
      },
      { codec },
    )
    expect(existsSync(copied)).toBe(false)
    const range = await file.toResponse({ headers: { range: 'bytes=10-99' } }, { codec })
    expect(range.status).toBe(206)
    expect(range.headers.get('content-type')).toBe(type)
    expect(range.headers.get('content-range')).toBe(`bytes 10-99/${expected.length}`)
    expect(range.headers.get('content-disposition')).toContain(name)
    const part = Buffer.from(await range.arrayBuffer())
    const all = Buffer.from(await (await file.toResponse({}, { codec })).arrayBuffer())
    expect(isSame(all, expected)).toBe(true)
    expect(part.equals(all.subarray(10, 100))).toBe(true)
    const tags = [range, await file.toResponse()].map(({ headers }) => headers.get('etag'))
    expect(tags[0]).not.toBe(tags[1])
    await file.dispose()
  })

  test.each(codecs)('%s is answered to HEAD as to GET, without a body', async (codec) => {
    const file = await memo()
    const [name, type] = files[codec]
    const get = await file.toResponse({}, { codec })
    const head = await file.toResponse({ method: 'HEAD' }, { codec })
    expect(head.status).toBe(200)
    expect(head.body).toBeNull()
    expect(head.headers.get('content-type')).toBe(type)
    expect(head.headers.get('content-disposition')).toContain(`"${name}"`)
    expect(head.headers.get('content-length')).toBe(String((await encoded(codec)).length))
    expect([...head.headers]).toEqual([...get.headers])
    await get.body!.cancel()
    const etag = head.headers.get('etag')!
    const same = await file.toResponse({ method: 'HEAD', headers: { 'if-none-match': etag } }, { codec })
    expect(same.status).toBe(304)
    await file.dispose()
  })

  test('holds the samples up to this moment while the recording goes on', async () => {
    const file = new VirtualFile({ name: 'live.wav' })
    const header = wavHeader(format)
    header.pipe(file)
    await new Promise((resolve) => header.write(pcm.subarray(0, 20_000), resolve))
    const expected = await fileOf(encode(format, { codec: 'flac' }), [pcm.subarray(0, 20_000)])
    expect((await file.toBuffer({ codec: 'flac' })).equals(expected)).toBe(true)
    const response = await file.toResponse({}, { codec: 'flac' })
    expect(response.headers.get('content-length')).toBe(String(expected.length))
    await file.dispose()
  })

  test('samples without a header are encoded by the format of the stage that they came from', async () => {
    const file = new VirtualFile({ name: 'raw.pcm' })
    await pipeline(source(), limit(format, { seconds: 60 }), file)
    expect((await file.toBuffer({ codec: 'mp3' })).equals(await encoded('mp3'))).toBe(true)
    const unknown = await VirtualFile.from(Buffer.alloc(1000))
    await expect(unknown.toFile({ codec: 'mp3' })).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_WAV' })
    await Promise.all([file.dispose(), unknown.dispose()])
  })

  test('half a frame of samples without a header is left out', async () => {
    const file = new VirtualFile({ name: 'raw.pcm' })
    const cap = limit(format, { seconds: 60 })
    cap.pipe(file)
    file.write(pcm.subarray(0, 2001)) // half a frame is on its way
    const expected = await fileOf(encode(format, { codec: 'flac' }), [pcm.subarray(0, 2000)])
    expect((await file.toBuffer({ codec: 'flac' })).equals(expected)).toBe(true)
    await file.dispose()
  })

  test('a disposed recording is no longer served, and a failed encoding is tried again', async () => {
    const file = await memo()
    const served = () => file.toResponse({}, { codec: 'flac' })
    expect((await served()).status).toBe(200)
    await file.dispose()
    await expect(served()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_DISPOSED' })

    const storage = new FailingStorage(Number.POSITIVE_INFINITY)
    const other = new VirtualFile({ name: 'memo.wav', storage })
    await pipeline(source(), wavHeader(format), other)
    const { read } = storage
    storage.read = () => {
      throw new Error('the disk is away')
    }
    const again = () => other.toResponse({}, { codec: 'flac' })
    await expect(again()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
    storage.read = read
    expect((await again()).status).toBe(200)
    await other.dispose()
  })

  test('wrong options are refused', async () => {
    const file = await memo()
    const wrong: [unknown, string][] = [
      [{ codec: 'aac' }, 'ERR_WAVESPOOL_ARG_TYPE'],
      [{ codec: 'flac', bitrate: 64_000 }, 'ERR_WAVESPOOL_ARG_TYPE'],
      [{ codec: 'mp3', bitrate: 1 }, 'ERR_WAVESPOOL_ARG_RANGE'],
      [{ kodec: 'mp3' }, 'ERR_WAVESPOOL_ARG_TYPE'],
    ]
    for (const [options, code] of wrong) {
      await expect(file.toFile(options as never)).rejects.toMatchObject({ code })
      await expect(file.toBuffer(options as never)).rejects.toMatchObject({ code })
      await expect(file.toResponse({}, options as never)).rejects.toMatchObject({ code })
    }
    await expect(file.toResponse({}, { bitrate: 64_000 })).rejects.toMatchObject({
      code: 'ERR_WAVESPOOL_ARG_TYPE',
    })
    await file.dispose()
  })
})
