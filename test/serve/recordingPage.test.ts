import { once } from 'node:events'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { pcmFormat, VirtualFile, wavHeader } from '../../src/index.ts'
import { recordingPage } from '../../src/serve/index.ts'
import { assertRamp, ramp, script, speech, tone } from '../../src/testing/index.ts'
import { Served } from './served.ts'

const format = pcmFormat()
const soon = { timeout: 20_000 }
const secret = 'a-token-that-nobody-guesses'

/** The answer of a server to bytes that no client of ours would send. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const answer: Buffer[] = []
  socket.on('data', (bytes) => answer.push(bytes))
  socket.on('error', () => {})
  socket.write(text)
  await Promise.race([once(socket, 'close'), once(socket, 'end')])
  socket.destroy()
  return Buffer.concat(answer).toString()
}

async function wavFile(path: string, seconds = 1, as = format): Promise<void> {
  await pipeline(
    ramp(as, { duration: { seconds }, pace: 'fast' }),
    wavHeader(as),
    new VirtualFile({ storage: { path } }),
  )
}

interface Event {
  event: string
  id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: each event has data of its own
  data: any
}

/** The events of a page until one comes that is wanted. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let text = ''
  for await (const bytes of response.body!) {
    text += Buffer.from(bytes).toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields: Record<string, string> = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      if (fields.event) yield { event: fields.event, id: fields.id, data: JSON.parse(fields.data!) }
    }
  }
}

describe('access', () => {
  let open: Served
  let locked: Served
  beforeAll(async () => {
    open = await Served.start({ microphone: (format) => tone(format, { pace: 'realtime' }) })
    locked = await Served.start({ token: secret, hosts: ['studio.example'] })
    for (const { folder } of [open, locked]) await wavFile(join(folder, 'memo.wav'))
  })
  afterAll(async () => {
    await open[Symbol.asyncDispose]()
    await locked[Symbol.asyncDispose]()
  })

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '10.1.2.3', '[::2]', ''])(
    'a foreign Host is refused and logged: %s',
    async (host) => {
      const asked = (path: string) =>
        raw(open.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      for (const path of ['/', '/recordings', '/recordings/memo.wav', '/events']) {
        const answer = await asked(path)
        expect(answer).toMatch(/^HTTP\/1.1 40[03] /)
        expect(answer).not.toContain('RIFF')
      }
    },
  )

  test('our own names are answered, with any port', async () => {
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:80', '[::1]:9']) {
      const answer = await raw(
        open.port,
        `GET /recordings HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1.1 200 /)
    }
    const asked = `GET / HTTP/1.1\r\nHost: studio.example\r\nConnection: close\r\n\r\n`
    expect(await raw(locked.port, asked)).toMatch(/^HTTP\/1.1 200 /)
  })

  test.each([
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    'https://127.0.0.1.evil.example',
    'file://',
  ])('every request of a foreign Origin is refused: %s', async (origin) => {
    for (const path of ['', 'recordings', 'recordings/memo.wav', 'events?of=memo.wav']) {
      expect((await open.get(path, { origin })).status).toBe(403)
    }
    const before = (await open.get('recordings').then((r) => r.json())) as object
    expect((await open.post('recordings', { microphone: 'computer' }, { origin })).status).toBe(403)
    expect((await open.post('recordings/memo.wav/marks', { at: 0 }, { origin })).status).toBe(403)
    expect(await open.get('recordings').then((r) => r.json())).toEqual(before)
  })

  test('our own page is answered', async () => {
    const response = await open.get('recordings', {
      origin: open.url.slice(0, -1),
      'sec-fetch-site': 'same-origin',
    })
    expect(response.status).toBe(200)
  })

  test('no other page can embed any of it, but a link may lead to it', async () => {
    const from = { 'sec-fetch-site': 'cross-site' }
    expect((await open.get('recordings/memo.wav', { ...from, 'sec-fetch-dest': 'audio' })).status).toBe(403)
    expect((await open.get('app.js', { ...from, 'sec-fetch-dest': 'script' })).status).toBe(403)
    expect((await open.get('', { ...from, 'sec-fetch-dest': 'iframe' })).status).toBe(403)
    expect((await open.get('', { ...from, 'sec-fetch-dest': 'document' })).status).toBe(200)
  })

  test('a form of another page cannot begin a recording even where a browser sends no Origin', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const response = await open.post('recordings', { microphone: 'computer' }, { 'content-type': type })
      expect(response.status).toBe(415)
    }
  })

  test('without the token only the page itself is served', async () => {
    for (const path of [
      'recordings',
      'recordings/memo.wav',
      'recordings/memo.wav/samples?start=0&end=9',
      'events',
    ]) {
      expect((await locked.get(path)).status).toBe(401)
      expect((await locked.get(path, { authorization: 'Bearer wrong-wrong-wrong-wrong' })).status).toBe(401)
      expect((await locked.get(path, { cookie: 'wavespool=1' })).status).toBe(401)
    }
    expect((await locked.post('recordings', { microphone: 'computer' })).status).toBe(401)
    expect((await locked.get('')).status).toBe(200)
    expect((await locked.get('recordings', { authorization: `Bearer ${secret}` })).status).toBe(200)
  })

  test('the token begins a session, whose cookie does not contain it and is hidden from scripts', async () => {
    const begun = await locked.post('session', { token: secret })
    expect(begun.status).toBe(204)
    const [cookie] = begun.headers.getSetCookie()
    expect(cookie).toMatch(/^wavespool-[0-9a-f]{8}=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/)
    const [pair] = cookie!.split(';')
    expect((await locked.get('recordings', { cookie: `other=1; ${pair}` })).status).toBe(200)
    expect((await locked.get('recordings', { cookie: `${pair!.slice(0, -1)}x` })).status).toBe(401)
  })

  test('a client that guesses tokens has to wait, and the log contains no token', async () => {
    await using guessed = await Served.start({ token: secret })
    const statuses = new Set<number>()
    for (let i = 0; i < 40; i++) {
      statuses.add((await guessed.post('session', { token: `guess-guess-guess-${i}` })).status)
    }
    expect([...statuses]).toEqual([401, 429])
    expect((await guessed.get('recordings', { authorization: `Bearer ${secret}` })).status).toBe(200)
    expect(guessed.lines.join('\n')).toContain('the token is wrong')
    expect(guessed.lines.join('\n')).not.toMatch(/guess-guess|nobody-guesses/)
    expect(guessed.lines.length).toBeLessThan(30) // nor is it a way to fill a disk
  })

  test('every answer forbids features that the page does not need', async () => {
    for (const path of [
      '',
      'app.js',
      'recordings',
      'recordings/memo.wav',
      'recordings/none.wav',
      'nowhere',
    ]) {
      const { headers } = await open.get(path)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; /)
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  test('a token that can be guessed is refused at once, and so is every other wrong option', () => {
    expect(() => recordingPage('folder', { token: 'short' })).toThrow(/at least 16/)
    expect(() => recordingPage('folder', { tokens: 'x' } as never)).toThrow(/did you mean token/)
    expect(() => recordingPage('folder', { base: 'studio' })).toThrow(/from a slash to a slash/)
    expect(() => recordingPage('folder', { limits: { live: 0 } })).toThrow(/limits.live/)
    expect(() => recordingPage('folder', { hosts: 'a' as never })).toThrow(/hosts/)
    expect(() => recordingPage('folder', { transcribe: 1 as never })).toThrow(/transcribe/)
    expect(() => recordingPage('')).toThrow(/path of a folder/)
  })
})

describe('the files that are served', () => {
  let served: Served
  beforeAll(async () => {
    served = await Served.start()
    await wavFile(served.path('memo.wav'))
    await mkdir(served.path('inside'))
    await wavFile(served.path('inside/hidden.wav'))
    await wavFile(served.path('.secret.wav'))
    await writeFile(served.path('notes.txt'), 'secret')
    await symlink('/etc/passwd', served.path('link.wav'))
    await symlink(served.path('memo.wav'), served.path('alias.wav'))
    await symlink('/etc', served.path('etc.wav'))
    await mkdir(served.path('folder.wav'))
  })
  afterAll(() => served[Symbol.asyncDispose]())

  test.each([
    '/recordings/../../../etc/passwd',
    '/recordings/..%2f..%2f..%2fetc%2fpasswd',
    '/recordings/%2e%2e/%2e%2e/etc/passwd',
    '/recordings/..%5c..%5cmemo.wav',
    '/recordings/%2fetc%2fpasswd',
    '/recordings/inside%2fhidden.wav',
    '/recordings/inside/hidden.wav',
    '/recordings/memo.wav%00.txt',
    '/recordings/memo.wav/',
    '/recordings/%ff.wav',
    '/recordings/%',
    '/recordings/.secret.wav',
    '/recordings/notes.txt',
    '/recordings/link.wav',
    '/recordings/alias.wav',
    '/recordings/etc.wav',
    '/recordings/folder.wav',
    '/recordings/con.wav',
    '/../src/index.ts',
    '/page/app.js',
    '//etc/passwd',
    '/index.html/../../package.json/',
    'http://127.0.0.1/recordings/memo.wav',
    '/recordings/memo.wav/samples?start=-1&end=5',
    '/recordings/memo.wav/samples?start=0&end=1e99',
    '/recordings/memo.wav?size=-1',
  ])('%s is refused', async (path) => {
    const answer = await raw(
      served.port,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 40[0-5] /)
    expect(answer).not.toMatch(/root:|RIFF|secret|wavespool"/)
  })

  test('the list contains the recordings of the folder, and nothing else', async () => {
    const { recordings } = (await (await served.get('recordings')).json()) as {
      recordings: { name: string }[]
    }
    expect(recordings.map(({ name }) => name)).toEqual(['memo.wav'])
  })

  test('a file has ranges, a length and a name to be saved under', async () => {
    const whole = await served.get('recordings/memo.wav?download')
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(await readFile(served.path('memo.wav')))
    expect(whole.headers.get('content-disposition')).toBe('attachment; filename="memo.wav"')
    const part = await served.get('recordings/memo.wav', { range: 'bytes=44-47' })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 44-47/32044'])
    const again = await served.get('recordings/memo.wav', { 'if-none-match': part.headers.get('etag')! })
    expect(again.status).toBe(304)
  })

  test.each(['s16le', 's24le', 'f32le', 'u8'] as const)(
    'the samples of %s come as 16 bits',
    async (encoding) => {
      const name = `${encoding}.wav`
      await wavFile(served.path(name), 1, pcmFormat({ encoding, sampleRate: 8000, channels: 2 }))
      const response = await served.get(`recordings/${name}/samples?start=7990&end=9000`)
      expect(response.headers.get('content-length')).toBe('40')
      const bytes = Buffer.from(await response.arrayBuffer())
      expect(bytes.length).toBe(40)
      if (encoding === 's16le') assertRamp(bytes, pcmFormat({ channels: 2 }), { from: 7990 })
      const none = await served.get(`recordings/${name}/samples?start=8000&end=9000`)
      expect((await none.arrayBuffer()).byteLength).toBe(0)
    },
  )

  test('a WAV file in an unknown encoding can be saved, and a file that is no WAV is refused', async () => {
    await writeFile(served.path('broken.wav'), 'this is no WAV file')
    await writeFile(served.path('empty.wav'), '')
    for (const name of ['broken.wav', 'empty.wav']) {
      expect((await served.get(`recordings/${name}`)).status).toBe(200)
      expect((await served.get(`recordings/${name}/samples?start=0&end=1`)).status).toBe(422)
      const events = eventsOf(await served.get(`events?of=${name}`))
      expect((await events.next()).value).toMatchObject({ event: 'recording', data: { frames: 0 } })
      await events.return(undefined)
    }
  })
})

describe('requests', () => {
  test('a body without end is refused after some bytes, and the connection closed', async () => {
    await using served = await Served.start()
    const head = 'Host: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const [start, status] of [
      ['POST /recordings', 413],
      ['GET /recordings', 200],
      ['POST /nowhere', 405],
    ] as const) {
      const socket = connect(served.port, '127.0.0.1')
      let answer = ''
      let sent = 0
      socket.on('data', (bytes) => {
        answer += bytes
      })
      socket.on('error', () => {})
      socket.write(`${start} HTTP/1.1\r\n${head}`)
      const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`
      const timer = setInterval(() => {
        sent += piece.length
        socket.write(piece)
      }, 1)
      await new Promise((resolve) => socket.once('close', resolve))
      clearInterval(timer)
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect(answer).toMatch(/connection: close/i)
      expect(sent).toBeLessThan(20_000_000)
    }
  })

  test.each([
    ['[]', 400],
    ['null', 400],
    ['{', 400],
    ['{}', 400],
    ['{"microphone":"telephone"}', 400],
    ['{"microphone":"browser"}', 400],
    ['{"microphone":"browser","sampleRate":1e9}', 400],
    ['{"microphone":"computer","name":"../up"}', 400],
    ['{"microphone":"computer","name":".hidden"}', 400],
    ['{"microphone":"computer","name":"a/b"}', 400],
  ])('%s begins no recording', async (body, status) => {
    await using served = await Served.start({ microphone: (format) => tone(format) })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${served.url}recordings`, { method: 'POST', body, headers })
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ error: expect.any(String) })
    expect(await (await served.get('recordings')).json()).toMatchObject({ recordings: [] })
  })

  test('other methods are refused', async () => {
    await using served = await Served.start()
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const path of ['', 'recordings', 'recordings/memo.wav', 'events']) {
        expect([404, 405]).toContain((await fetch(served.url + path, { method })).status)
      }
    }
    expect(
      await raw(served.port, 'TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    ).toMatch(/^HTTP\/1.1 40/)
  })
})

describe('recording', () => {
  test('a recording of this machine can be followed, heard and marked while it goes on', async () => {
    await using served = await Served.start({
      passages: false,
      microphone: (format) => ramp(format, { pace: 'realtime' }),
    })
    const name = await served.begin({ name: 'take one' })
    expect(name).toBe('take one.wav')
    const followed = served.get(`recordings/${name}`).then((response) => response.arrayBuffer())
    const events = eventsOf(await served.get(`events?of=${name}`))
    const seen: Event[] = []
    for await (const each of events) {
      seen.push(each)
      if (each.event === 'sound' && each.data.frames > 16_000) break
    }
    expect(seen[0]).toMatchObject({
      event: 'recording',
      data: { isLive: true, sampleRate: 16_000, channels: 1, framesPerPeak: 800, marks: [] },
    })
    const middle = await served.get(`recordings/${name}/samples?start=4000&end=12000`)
    assertRamp(Buffer.from(await middle.arrayBuffer()), format, { from: 4000 })
    const moment = await served.get(`recordings/${name}?size=16044`, { range: 'bytes=0-43' })
    expect([moment.status, moment.headers.get('content-range')]).toEqual([206, 'bytes 0-43/16044'])
    expect((await served.post(`recordings/${name}/marks`, { at: 8000, text: 'here' })).status).toBe(201)
    expect((await served.post(`recordings/${name}/marks`, { at: 9e9 })).status).toBe(400)
    expect((await stat(served.path(name))).mode & 0o777).toBe(0o600)

    await served.stop(name)
    const bytes = await readFile(served.path(name))
    assertRamp(bytes.subarray(44), format, {})
    const frames = (bytes.length - 44) / 2
    expect(Buffer.from(await followed).subarray(44)).toEqual(bytes.subarray(44))

    // and later, from the disk
    const later = eventsOf(await served.get(`events?of=${name}`))
    expect((await later.next()).value).toMatchObject({
      event: 'recording',
      data: { isLive: false, frames, marks: [{ at: 8000, text: 'here' }] },
    })
    const { value } = await later.next()
    expect(Buffer.from(value!.data.peaks, 'base64').length / 2).toBe(Math.ceil(frames / 800))
    await later.return(undefined)
    expect((await stat(served.path(`${name}.json`))).mode & 0o777).toBe(0o600)
  })

  test('a page that reconnects gets the events that it has missed, once', async () => {
    await using served = await Served.start({
      passages: false,
      microphone: (format) => tone(format, { pace: 'realtime' }),
    })
    const name = await served.begin()
    let known = 0
    for (let turn = 0; turn < 3; turn++) {
      const events = eventsOf(await served.get(`events?of=${name}`, { 'last-event-id': String(known) }))
      for await (const { event, id, data } of events) {
        if (event !== 'sound') continue
        expect(data.start).toBe(known)
        known += Buffer.from(data.peaks, 'base64').length / 2
        expect(Number(id)).toBe(known)
        if (known > turn * 6 + 4) break
      }
    }
    await served.stop(name)
  })

  test('a page that comes between two events of sound gets each peak once', async () => {
    const source = Object.assign(new PassThrough(), { stop: () => void source.end() })
    await using served = await Served.start({ passages: false, microphone: () => source })
    const name = await served.begin()
    const [peaks, peakBytes] = [(count: number) => Buffer.alloc(count * peakBytes), 800 * 2]
    const seconds = async () => {
      const { recordings } = (await (await served.get('recordings')).json()) as {
        recordings: { seconds: number }[]
      }
      return recordings[0]?.seconds
    }
    source.write(peaks(6))
    await expect.poll(seconds, soon).toBe(0.3)
    let known = 0
    for await (const { event, data } of eventsOf(await served.get(`events?of=${name}`))) {
      if (event === 'ended') break
      if (event !== 'sound') continue
      expect(data.start).toBe(known)
      if (known === 0) source.write(peaks(3))
      known += Buffer.from(data.peaks, 'base64').length / 2
      if (known === 8) void served.stop(name)
    }
    expect(known).toBe(9)
  })

  test('passages of speech are reported as they end, with the text of the transcriber', async () => {
    const voice = pcmFormat()
    const source = speech(voice, { duration: { seconds: 8 }, pace: 'fast' })
    const heard: number[] = []
    await using served = await Served.start({
      microphone: () => source,
      transcribe: async ({ file, start, end, recording }) => {
        heard.push((file.size - 44) / 2 - (end - start))
        expect(recording).toBe('talk.wav')
        if (heard.length === 1) throw new Error('no service')
        return `text ${heard.length}`
      },
    })
    await served.begin({ name: 'talk' })
    await expect.poll(() => served.lines.join(), soon).toContain('8.0 s recorded')
    await served.close()
    const notes = JSON.parse(await readFile(served.path('talk.wav.json'), 'utf8'))
    expect(notes.passages.length).toBe(2)
    expect(heard).toEqual(notes.passages.map(() => 0))
    expect(notes.passages.map(({ text }: { text?: string }) => text)).toEqual(
      notes.passages.map((_: unknown, n: number) => (n === 0 ? undefined : `text ${n + 1}`)),
    )
    expect(served.lines.join('\n')).toContain('no service')
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no such device')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such device'))],
    [
      'is never ready',
      () => Object.assign(tone(format), { ready: Promise.reject(new Error('no such device')) }),
    ],
  ])('a microphone that %s is reported, and nothing is recorded', async (_what, microphone) => {
    await using served = await Served.start({ microphone })
    await expect(served.begin()).rejects.toThrow('the microphone does not record: no such device')
    expect(await (await served.get('recordings')).json()).toMatchObject({ recordings: [] })
  })

  test('a microphone that fails keeps the audio up to then, and the page says why', async () => {
    await using served = await Served.start({
      passages: false,
      microphone: () =>
        script([Buffer.alloc(3200), Buffer.alloc(2)], {
          pace: 'realtime',
          errorAfter: 1,
          error: new Error('it was unplugged'),
        }),
    })
    const name = await served.begin()
    for await (const { event, data } of eventsOf(await served.get(`events?of=${name}`))) {
      if (event === 'recording' && !data.isLive) break
      if (event !== 'ended') continue
      expect(data).toEqual({ frames: 1600, problem: 'it was unplugged' })
      break
    }
    expect((await stat(served.path(name))).size).toBe(3244)
  })

  test('a recording ends at `limits.bytes`, and no recording begins past `limits.files`', async () => {
    await using served = await Served.start({
      passages: false,
      limits: { bytes: 32_000, live: 1, files: 2 },
      microphone: (format) => ramp(format, { pace: 'fast' }),
    })
    for (const name of ['one', 'two']) {
      await served.begin({ name })
      await expect.poll(async () => (await stat(served.path(`${name}.wav`))).size, soon).toBe(32_044)
      await expect.poll(() => served.lines.join(), soon).toContain(`${name}.wav: 1.0 s recorded`)
    }
    await expect(served.begin()).rejects.toThrow('the most')
  })

  test('a recording ends when its browser sends nothing for `reconnectSeconds` over an open connection', async () => {
    await using served = await Served.start({ passages: false, limits: { reconnectSeconds: 1 } })
    const begun = await served.post('recordings', { microphone: 'browser', sampleRate: 8000, name: 'lost' })
    const { key } = (await begun.json()) as { key: string }
    const socket = new WebSocket(`${served.url.replace('http', 'ws')}recordings/lost.wav/microphone`)
    await once(socket, 'open')
    socket.send(key)
    socket.send(Buffer.alloc(8 + 1600)) // 0.1 s from frame 0 on
    await expect.poll(() => served.lines.join(), soon).toContain('lost.wav: 0.1 s recorded')
    socket.terminate()
  })

  test('a name without room for its number is refused, and the microphone is closed', async () => {
    let opened = 0
    let closed = 0
    await using served = await Served.start({
      passages: false,
      microphone: (format) => {
        opened++
        return tone(format, { pace: 'realtime' }).on('close', () => closed++)
      },
    })
    const name = 'x'.repeat(251)
    await served.begin({ name })
    await expect(served.begin({ name })).rejects.toThrow('name must be')
    await expect.poll(() => [opened, closed], soon).toEqual([2, 1])
  })

  test('the number of recordings at a time is limited, and no name is used twice', async () => {
    await using served = await Served.start({
      passages: false,
      limits: { live: 2 },
      microphone: (format) => tone(format, { pace: 'realtime' }),
    })
    const names = await Promise.all([served.begin({ name: 'a' }), served.begin({ name: 'A' })])
    expect(names.map((name) => name.toLowerCase()).sort()).toEqual(['a-2.wav', 'a.wav'])
    await expect(served.begin()).rejects.toThrow('2 recordings go on')
  })

  test('without a microphone on this machine only a browser records', async () => {
    await using served = await Served.start({ microphone: false })
    expect(await (await served.get('recordings')).json()).toEqual({
      microphones: ['browser'],
      recordings: [],
    })
    await expect(served.begin()).rejects.toThrow('no such microphone')
  })

  test('a server that is closed ends its recordings with whole files', async () => {
    await using served = await Served.start({
      passages: false,
      microphone: (format) => ramp(format, { pace: 'realtime' }),
    })
    const name = await served.begin()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await served.close()
    const bytes = await readFile(served.path(name))
    expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44)
    assertRamp(bytes.subarray(44), format, {})
  })
})

test('ten thousand incomplete requests do not disturb a recording', async () => {
  await using served = await Served.start({
    passages: false,
    microphone: (format) => ramp(format, { pace: 'realtime' }),
  })
  const name = await served.begin()
  const openings = [
    '',
    'GET /recordings HTTP/1.1\r\nHost: ',
    '\x16\x03\x01',
    'POST /recordings HTTP/1.1\r\nHost: 127.0.0.1\r\n',
  ]
  for (let i = 0; i < 10_000; i++) {
    const socket = connect(served.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(openings[i % openings.length]!)
    socket.destroy()
  }
  await expect
    .poll(() => new Promise((resolve) => served.server.getConnections((_, n) => resolve(n))), soon)
    .toBeLessThan(5)
  await served.stop(name)
  assertRamp((await readFile(served.path(name))).subarray(44), format, {})
})

test('the page works under any path', async () => {
  await using served = await Served.start()
  const page = recordingPage(served.folder, { base: '/studio/' })
  await wavFile(served.path('memo.wav'))
  const get = (path: string) => page.fetch(new Request(`http://localhost${path}`))
  expect((await get('/studio/')).status).toBe(200)
  expect((await get('/studio/recordings/memo.wav')).status).toBe(200)
  expect((await get('/recordings/memo.wav')).status).toBe(404)
  expect((await get('/studio')).status).toBe(404)
  await page.close()
})
