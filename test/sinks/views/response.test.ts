import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../../src/format/pcmFormat.ts'
import { readWavHeader } from '../../../src/format/readWavHeader.ts'
import type { RequestLike } from '../../../src/http/response.ts'
import { VirtualFile } from '../../../src/sinks/virtualFile.ts'
import { limit } from '../../../src/streams/limit.ts'
import { wavHeader } from '../../../src/streams/wavHeader.ts'
import { manualClock } from '../../../src/testing/clock.ts'
import { ramp } from '../../../src/testing/ramp.ts'
import { hasTool, type Tool } from '../../oracles/tools.ts'
import { storages, write } from '../storageContract.ts'

const format = pcmFormat()

async function recorded(seconds: number, options = {}): Promise<VirtualFile> {
  const file = new VirtualFile({ name: 'memo.wav', ...options })
  await pipeline(ramp(format), limit(format, { seconds }), wavHeader(format), file)
  return file
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
const get = (headers: Record<string, string>, method = 'GET') =>
  new Request('http://localhost/memo.wav', { method, headers })

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** All code that an HTTP server of Node needs around toResponse(). */
async function serve(file: VirtualFile, spy: (request: IncomingMessage) => void = () => {}): Promise<string> {
  const server = createServer(async (request, answer) => {
    spy(request)
    const { status, headers, body } = await file.toResponse(request)
    answer.writeHead(status, Object.fromEntries(headers)).flushHeaders() // not only with the first byte
    if (body) await pipeline(Readable.fromWeb(body as never), answer).catch(() => {})
    else answer.end()
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/memo.wav`
}

describe.each(storages)('toResponse(): $label', (storage) => {
  test('gives the whole recording and every part of it', async () => {
    const file = await recorded(0.1, { storage: storage.make() })
    const all = await file.toBuffer()
    const whole = await file.toResponse()
    expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '3244'])
    expect(await bytesOf(whole)).toEqual(all)
    const parts: [string, number, number][] = [
      ['bytes=0-43', 0, 43],
      ['bytes=44-', 44, 3243],
      ['bytes=3243-', 3243, 3243],
      ['bytes=-1', 3243, 3243],
      ['bytes=-99999', 0, 3243],
      ['bytes=1000-99999', 1000, 3243],
      ['Bytes=0-0', 0, 0],
    ]
    for (const [range, start, end] of parts) {
      const part = await file.toResponse(get({ range }))
      expect(part.status, range).toBe(206)
      expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end}/3244`)
      expect(part.headers.get('content-length')).toBe(String(end - start + 1))
      expect(await bytesOf(part)).toEqual(all.subarray(start, end + 1))
    }
    await file.dispose()
  })

  test('follows a recording that goes on, behind an open header, to its end', async () => {
    const file = new VirtualFile({ name: 'live.wav', storage: storage.make() })
    const source = ramp(format, { duration: { seconds: 0.2 } })
    const live = await file.toResponse(get({ range: 'bytes=100-', 'if-range': '"some"' }))
    expect(live.status).toBe(200)
    expect(Object.fromEntries(live.headers)).toEqual({
      'accept-ranges': 'none',
      'cache-control': 'no-store',
      'content-disposition': 'inline; filename="live.wav"',
      'content-type': 'audio/wav',
    })
    const followed = bytesOf(live)
    await pipeline(source, wavHeader(format), file)
    const all = await file.toBuffer()
    const bytes = await followed
    expect(bytes.subarray(44).equals(all.subarray(44))).toBe(true)
    expect(readWavHeader(bytes)).toMatchObject({ dataBytes: 0xffffffff, riffBytes: 0xffffffff })
    const after = await file.toResponse(get({ range: 'bytes=100-' }))
    expect(after.status).toBe(206)
    await file.dispose()
  })
})

describe('toResponse()', () => {
  test('has headers for type, name, tag and length, and HEAD gets the same without the bytes', async () => {
    const file = await recorded(0.1)
    const whole = await file.toResponse()
    expect(Object.fromEntries(whole.headers)).toEqual({
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      'content-disposition': 'inline; filename="memo.wav"',
      'content-length': '3244',
      'content-type': 'audio/wav',
      etag: expect.stringMatching(/^"[^"]+"$/),
    })
    const head = await file.toResponse(get({ range: 'bytes=0-1' }, 'HEAD'))
    expect([head.status, head.body]).toEqual([200, null])
    expect([...head.headers]).toEqual([...whole.headers])
    const live = await new VirtualFile().toResponse({ method: 'HEAD' })
    expect([live.status, live.body, live.headers.has('content-length')]).toEqual([200, null, false])
  })

  test('a name that is not ASCII is given in both ways', async () => {
    const { headers } = await (await recorded(0.1, { name: 'Gespräch "1"; 100%.wav' })).toResponse()
    expect(headers.get('content-disposition')).toBe(
      `inline; filename="Gespr_ch _1_; 100_.wav"; filename*=UTF-8''Gespr%C3%A4ch%20%221%22%3B%20100%25.wav`,
    )
  })

  test('a range behind the end gets 416 with the length; an invalid one gets the whole file', async () => {
    const file = await recorded(0.1)
    for (const range of ['bytes=3244-', 'bytes=9999-10000', 'bytes=-0']) {
      const { status, body, headers } = await file.toResponse(get({ range }))
      expect([status, body, headers.get('content-range')]).toEqual([416, null, 'bytes */3244'])
    }
    for (const range of [
      'bytes=5-6,0-1',
      'bytes=0-9,5-6',
      'bytes=0-1,x',
      `bytes=${'0-0,'.repeat(17)}`,
      'bytes=5-4',
      'bytes=-',
      'bytes=a-b',
      'samples=0-1',
      'bytes',
      '',
    ]) {
      const response = await file.toResponse(get({ range }))
      expect(response.status, range).toBe(200)
      expect(await bytesOf(response)).toHaveLength(3244)
    }
    expect((await file.toResponse({ method: 'POST' })).status).toBe(405)
  })

  test('several ranges come as parts with the bytes of each', async () => {
    const file = await recorded(0.1)
    const all = await file.toBuffer()
    const response = await file.toResponse(get({ range: 'bytes=0-43, 100-199,, 9999-,-44' }))
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBeNull()
    const [, boundary] = /^multipart\/byteranges; boundary=(\S+)$/.exec(
      response.headers.get('content-type')!,
    )!
    const body = await bytesOf(response)
    expect(response.headers.get('content-length')).toBe(String(body.length))
    const parts = body.toString('latin1').split(`\r\n--${boundary}`)
    expect([parts[0], parts.at(-1)]).toEqual(['', '--\r\n'])
    const expected = [all.subarray(0, 44), all.subarray(100, 200), all.subarray(-44)]
    const places = ['0-43', '100-199', '3200-3243']
    expect(parts.slice(1, -1)).toEqual(
      expected.map(
        (bytes, i) =>
          `\r\ncontent-type: audio/wav\r\ncontent-range: bytes ${places[i]}/3244\r\n\r\n${bytes.toString('latin1')}`,
      ),
    )
    const one = await file.toResponse(get({ range: 'bytes=9999-, 10-19' }))
    expect(one.headers.get('content-range')).toBe('bytes 10-19/3244')
  })

  test('an empty file answers 416 to a range from a position, and 200 to one of its last bytes', async () => {
    const file = new VirtualFile()
    await finished(file.end())
    expect((await file.toResponse(get({ range: 'bytes=0-' }))).headers.get('content-range')).toBe('bytes */0')
    const last = await file.toResponse(get({ range: 'bytes=-5' }))
    expect([last.status, last.headers.get('content-length')]).toEqual([200, '0'])
  })

  test('an option makes it a download, under another name', async () => {
    const file = await recorded(0.1)
    const { headers } = await file.toResponse({}, { disposition: 'attachment', name: 'Öl.wav' })
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="_l.wav"; filename*=UTF-8''%C3%96l.wav`,
    )
    for (const wrong of [
      { disposition: 'form-data' },
      { size: '44' },
      { size: -1 },
      { name: 'a/b' },
      { sise: 1 },
    ]) {
      await expect(file.toResponse({}, wrong as never)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_WAVESPOOL_ARG_/),
      })
    }
  })

  test('the entity tag decides, and changes with the bytes', async () => {
    const file = await recorded(0.1)
    const tag = async () => (await file.toResponse({ method: 'HEAD' })).headers.get('etag')!
    const first = await tag()
    const statusOf = async (headers: Record<string, string>) => {
      const response = await file.toResponse(get(headers))
      await response.body?.cancel()
      return response.status
    }
    expect(await tag()).toBe(first)
    expect(await statusOf({ 'if-none-match': first })).toBe(304)
    expect(await statusOf({ 'if-none-match': `"other", W/${first}` })).toBe(304)
    expect(await statusOf({ 'if-none-match': '*' })).toBe(304)
    expect(await statusOf({ 'if-none-match': '"other"' })).toBe(200)
    expect(await statusOf({ 'if-match': first })).toBe(200)
    expect(await statusOf({ 'if-match': `W/${first}` })).toBe(412)
    expect(await statusOf({ 'if-match': '"other"', range: 'bytes=1-' })).toBe(412)
    expect(await statusOf({ 'if-range': first, range: 'bytes=1-' })).toBe(206)
    expect(await statusOf({ 'if-range': `W/${first}`, range: 'bytes=1-' })).toBe(200)
    expect(await statusOf({ 'if-range': 'Wed, 25 Nov 2026 09:00:00 GMT', range: 'bytes=1-' })).toBe(200)
    const cursor = file.cursor()
    await cursor.write(Buffer.from('R'))
    const second = await tag()
    await cursor.write(Buffer.from('I'))
    expect(new Set([first, second, await tag()]).size).toBe(3)
    expect(await statusOf({ 'if-range': first, range: 'bytes=1-' })).toBe(200)
    const other = await (await recorded(0.1)).toResponse()
    expect(other.headers.get('etag')).not.toBe(first)
  })

  test('takes any request that has a method and headers, and nothing else', async () => {
    const file = await recorded(0.1)
    const http2 = { method: 'GET', headers: { ':path': '/', range: 'bytes=0-9', 'set-cookie': ['a'] } }
    expect((await file.toResponse(http2)).status).toBe(206)
    for (const wrong of [4, null, 'GET', { method: 4 }, { headers: 'range' }]) {
      await expect(file.toResponse(wrong as unknown as RequestLike)).rejects.toMatchObject({
        code: 'ERR_WAVESPOOL_ARG_TYPE',
      })
    }
  })

  test('a body that is cancelled no longer follows the recording', async () => {
    const file = new VirtualFile()
    await write(file, Buffer.alloc(1000))
    const { body } = await file.toResponse()
    const reader = body!.getReader()
    expect((await reader.read()).value).toHaveLength(1000)
    await reader.cancel()
    await write(file, Buffer.alloc(1000))
    await file.dispose()
  })

  test('a recording that fails fails the body behind its last byte', async () => {
    const file = new VirtualFile()
    file.on('error', () => {})
    const { body } = await file.toResponse()
    const pieces: Uint8Array[] = []
    const read = (async () => {
      for await (const piece of body!) pieces.push(piece)
    })()
    read.catch(() => {})
    await write(file, Buffer.alloc(1000))
    file.destroy(new Error('the microphone is gone'))
    await expect(read).rejects.toThrow('the microphone is gone')
    expect(Buffer.concat(pieces)).toHaveLength(1000)
  })
})

describe.each(storages)('toResponse(request, { size }): $label', (storage) => {
  test.each([
    ['16 bits', pcmFormat()],
    ['8 bits, with a pad byte at every other frame', pcmFormat({ encoding: 'u8' })],
    ['three channels of 24 bits', pcmFormat({ encoding: 's24le', channels: 3 })],
  ])('%s: each size gives the file of that moment, also later', async (_label, each) => {
    const file = new VirtualFile({ name: 'live.wav', storage: storage.make() })
    await write(file, wavHeader(each).end().read() as Buffer)
    const moments = new Map([[file.size, await file.toBuffer()]])
    for (let i = 1; i < 40; i++) {
      await write(file, Buffer.of(i))
      if (!moments.has(file.size)) moments.set(file.size, await file.toBuffer())
    }
    const check = async () => {
      for (const [size, bytes] of moments) {
        const response = await file.toResponse({}, { size })
        expect(response.headers.get('content-length')).toBe(String(size))
        expect(await bytesOf(response)).toEqual(bytes)
        const range = await file.toResponse(get({ range: 'bytes=40-' }), { size })
        expect(range.headers.get('content-range')).toBe(`bytes 40-${size - 1}/${size}`)
        expect(await bytesOf(range)).toEqual(bytes.subarray(40))
      }
    }
    expect(moments.size).toBeGreaterThan(4)
    await check()
    await finished(file.end())
    await check()
    const tags = await Promise.all(
      [...moments.keys()].map(async (size) =>
        (await file.toResponse({ method: 'HEAD' }, { size })).headers.get('etag'),
      ),
    )
    expect(new Set(tags).size).toBe(moments.size)
    await file.dispose()
  })

  test('a size that the file never had is refused: half a frame, a part of the header, more than there is', async () => {
    const file = await recorded(0.1, { storage: storage.make() })
    for (const size of [0, 43, 45, 3243, 3245, 3246, 99_999]) {
      const error = await file.toResponse({}, { size }).catch((reason) => reason)
      expect(error, String(size)).toMatchObject({ code: 'ERR_WAVESPOOL_ARG_RANGE' })
      expect(error.message).toContain('from 44 to 3244 bytes, in whole frames of 2 bytes')
    }
    expect((await file.toResponse({}, { size: 44 })).headers.get('content-length')).toBe('44')
    await file.dispose()
  })
})

describe('over HTTP', () => {
  test('fetch follows a recording to its end, also where another client goes away', async () => {
    const clock = manualClock()
    const file = new VirtualFile({ name: 'live.wav' })
    const recording = pipeline(
      ramp(format, { pace: clock, duration: { seconds: 1 } }),
      wavHeader(format),
      file,
    )
    const url = await serve(file)
    const aborted = new AbortController()
    const [one, other] = await Promise.all([fetch(url), fetch(url, { signal: aborted.signal })])
    clock.advance(500)
    await other!.body!.getReader().read()
    aborted.abort()
    clock.advance(500)
    await recording
    const bytes = await bytesOf(one!)
    expect(bytes.subarray(44).equals((await file.toBuffer()).subarray(44))).toBe(true)
  })
  test.skipIf(!hasTool('curl'))('curl resumes a download', async () => {
    const file = await recorded(10)
    const ranges: unknown[] = []
    const url = await serve(file, ({ headers }) => ranges.push(headers.range))
    const directory = await mkdtemp(join(tmpdir(), 'wavespool-test-'))
    try {
      const path = join(directory, 'memo.wav')
      const curl = ['--silent', '--show-error', '--fail', '--max-time', '20', '-C', '-', '-o', path, url]
      await run('curl', curl)
      const all = await file.toBuffer()
      expect(await readFile(path)).toEqual(all)
      for (const size of [100_001, all.length - 1]) {
        await truncate(path, size)
        await run('curl', curl)
        expect((await readFile(path)).equals(all)).toBe(true)
      }
      await writeFile(path, all.subarray(0, 44))
      await run('curl', curl)
      expect((await readFile(path)).equals(all)).toBe(true)
      expect(ranges).toEqual([undefined, 'bytes=100001-', `bytes=${all.length - 1}-`, 'bytes=44-'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test.skipIf(!hasTool('ffmpeg'))('ffprobe and ffmpeg read a recording, with seeks', async () => {
    const file = await recorded(600)
    const ranges: (string | undefined)[] = []
    const url = await serve(file, ({ headers }) => ranges.push(headers.range))
    const probe = ['-v', 'error', '-show_entries', 'format=duration,size', '-of', 'csv=p=0', url]
    expect((await run('ffprobe', probe)).toString().trim()).toBe('600.000000,19200044')
    const cut = ['-v', 'error', '-ss', '500', '-i', url, '-t', '0.5', '-f', 's16le', '-']
    const samples = await run('ffmpeg', cut)
    const at = 44 + 500 * 32_000
    expect(samples.equals((await file.toBuffer()).subarray(at, at + 16_000))).toBe(true)
    expect(ranges.some((range) => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1]) > 15_000_000)).toBe(true)
  })

  test.skipIf(!hasTool('ffmpeg'))('ffmpeg reads a recording that goes on to its end', async () => {
    const file = new VirtualFile()
    const url = await serve(file)
    const decoded = run('ffmpeg', ['-v', 'error', '-i', url, '-f', 's16le', '-'])
    await pipeline(ramp(format, { pace: 'realtime', duration: { seconds: 0.6 } }), wavHeader(format), file)
    expect((await decoded).equals((await file.toBuffer()).subarray(44))).toBe(true)
  })
})

/** A program of the machine that asks the server in this process. */
async function run(tool: Tool, args: string[]): Promise<Buffer> {
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, code] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
