import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pcmFormat, type TimelineItem, timeline } from '../../src/index.ts'
import {
  type MediaParser,
  type MediaStart,
  openaiRealtime,
  telnyxMedia,
  twilioMedia,
  vonageMedia,
} from '../../src/telephony/index.ts'

const MESSAGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_MESSAGE' })
const ARG_TYPE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_TYPE' })
const ARG_RANGE = expect.objectContaining({ code: 'ERR_WAVESPOOL_ARG_RANGE' })

interface Heard {
  starts: MediaStart[]
  items: TimelineItem[]
  messages: Record<string, unknown>[]
  invalid: Error[]
  error: unknown
}

async function hear(parser: MediaParser, messages: unknown[]): Promise<Heard> {
  const heard: Heard = { starts: [], items: [], messages: [], invalid: [], error: undefined }
  parser.on('start', (start) => heard.starts.push(start))
  parser.on('message', (message) => heard.messages.push(message))
  parser.on('invalid', (error) => heard.invalid.push(error))
  parser.on('data', (item) => heard.items.push(item))
  await pipeline(Readable.from(messages), parser).catch((error) => {
    heard.error = error
  })
  return heard
}

const places = ({ items }: Heard) => items.map(({ track, at, data }) => [track, at, data.length])

const twilio = {
  connected: { event: 'connected', protocol: 'Call', version: '1.0.0' },
  start: {
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: 'AC1',
      streamSid: 'MZ1',
      callSid: 'CA1',
      tracks: ['inbound', 'outbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: { customer: '7' },
    },
    streamSid: 'MZ1',
  },
  media: (track: string, timestamp: number, bytes = 160) => ({
    event: 'media',
    sequenceNumber: '2',
    media: {
      track,
      chunk: '1',
      timestamp: String(timestamp),
      payload: Buffer.alloc(bytes, 0x55).toString('base64'),
    },
    streamSid: 'MZ1',
  }),
  dtmf: { event: 'dtmf', streamSid: 'MZ1', dtmf: { track: 'inbound_track', digit: '1' } },
  stop: { event: 'stop', sequenceNumber: '5', stop: { accountSid: 'AC1', callSid: 'CA1' }, streamSid: 'MZ1' },
}

describe('twilioMedia()', () => {
  test.each(['strings', 'bytes', 'objects'])(
    'items by their timestamps, start first, all else as message (%s)',
    async (kind) => {
      const all = [
        twilio.connected,
        twilio.start,
        twilio.media('inbound', 20),
        twilio.media('outbound', 0),
        twilio.dtmf,
        twilio.stop,
      ]
      const texts = kind === 'objects' ? all : all.map((message) => JSON.stringify(message))
      const parser = twilioMedia()
      const heard = await hear(
        parser,
        kind === 'bytes' ? texts.map((text) => Buffer.from(text as string)) : texts,
      )
      expect(heard.error).toBeUndefined()
      const format = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
      expect(heard.starts).toEqual([{ format, tracks: ['inbound', 'outbound'], message: twilio.start }])
      expect(parser.format).toEqual(format)
      expect(places(heard)).toEqual([
        ['inbound', 160, 160],
        ['outbound', 0, 160],
      ])
      expect(heard.messages).toEqual([twilio.connected, twilio.dtmf, twilio.stop])
    },
  )

  test('a packet within the rounding of its timestamp follows exactly; one that comes later does not', async () => {
    const at = [0, 21, 39, 60, 90]
    const heard = await hear(twilioMedia(), [
      twilio.start,
      ...at.map((timestamp) => twilio.media('inbound', timestamp)),
    ])
    expect(heard.items.map(({ at }) => at)).toEqual([0, 160, 320, 480, 720])
  })

  test('tracks get other names', async () => {
    const parser = twilioMedia({ tracks: { inbound: 'caller' } })
    const heard = await hear(parser, [twilio.start, twilio.media('inbound', 0), twilio.media('outbound', 0)])
    expect(heard.starts[0]!.tracks).toEqual(['caller', 'outbound'])
    expect(heard.items.map(({ track }) => track)).toEqual(['caller', 'outbound'])
  })
})

const media = (fields: object) => ({
  ...twilio.media('inbound', 0),
  media: { ...twilio.media('inbound', 0).media, ...fields },
})
const begin = (fields: object) => ({ ...twilio.start, start: { ...twilio.start.start, ...fields } })
const bad: [name: string, messages: unknown[]][] = [
  ['no JSON', ['{"event":']],
  ['a list', ['[]']],
  ['a number', [5]],
  ['no event', [{}]],
  ['media before start', [twilio.media('inbound', 0)]],
  ['two starts', [twilio.start, twilio.start]],
  ['a start without a format', [begin({ mediaFormat: undefined })]],
  ['an unknown encoding', [begin({ mediaFormat: { encoding: 'audio/opus', sampleRate: 8000 } })]],
  ['two channels', [begin({ mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 2 } })]],
  ['a rate of nothing', [begin({ mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 0 } })]],
  ['an unknown track', [twilio.start, media({ track: 'third' })]],
  ['a payload that is no base64', [twilio.start, media({ payload: '!!!!' })]],
  ['no payload', [twilio.start, media({ payload: undefined })]],
  ['a negative timestamp', [twilio.start, media({ timestamp: '-1' })]],
  ['a timestamp that is none', [twilio.start, media({ timestamp: 'soon' })]],
  ['a message that is too large', [twilio.start, JSON.stringify(twilio.media('inbound', 0, 2 ** 20))]],
]

describe('messages that are malformed, too large or against the protocol', () => {
  test.each(bad)('%s: are an error, or skipped and reported', async (_name, messages) => {
    const strict = await hear(twilioMedia(), messages)
    expect(strict.error).toEqual(MESSAGE)
    const lenient = await hear(twilioMedia({ invalid: 'skip' }), [
      ...messages,
      twilio.start,
      twilio.media('inbound', 0),
    ])
    expect(lenient.error).toBeUndefined()
    expect(lenient.invalid[0]).toEqual(MESSAGE)
    expect(lenient.items.length).toBe(1)
  })

  test('arbitrary messages cause only errors of ours', async () => {
    const makes = [twilioMedia, telnyxMedia, vonageMedia, openaiRealtime]
    const anything = fc.oneof(
      fc.json(),
      fc.uint8Array(),
      fc.jsonValue(),
      fc.record({ event: fc.constant('media'), media: fc.jsonValue() }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(anything, { maxLength: 5 }),
        fc.constantFrom(...makes),
        async (messages, make) => {
          const { error } = await hear(
            make(),
            [...messages].filter((message) => message !== null),
          )
          if (error !== undefined) expect(error).toEqual(MESSAGE)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('are an error after all messages in front of them', async () => {
    const heard = await hear(twilioMedia(), [twilio.start, twilio.media('inbound', 0), 'nonsense'])
    expect(heard.items.length).toBe(1)
    expect(heard.error).toEqual(MESSAGE)
  })

  test('wrong options throw at once', () => {
    for (const options of [
      null,
      5,
      { invalid: 'ignore' },
      { maxMessageBytes: '5' },
      { tracks: 'a' },
      { track: {} },
    ]) {
      for (const make of [twilioMedia, telnyxMedia, vonageMedia, openaiRealtime]) {
        expect(() => make(options as never)).toThrow(ARG_TYPE)
      }
    }
    expect(() => twilioMedia({ maxMessageBytes: 0 })).toThrow(ARG_RANGE)
    expect(() => telnyxMedia({ l16: 'f32le' as never })).toThrow(ARG_TYPE)
  })
})

const telnyx = (encoding: string, rate: number) => ({
  event: 'start',
  sequence_number: '1',
  stream_id: '32DE',
  start: { call_control_id: 'v2:T0', media_format: { encoding, sample_rate: rate, channels: 1 } },
})
const telnyxPacket = (track: string, timestamp: number, payload: Buffer) => ({
  event: 'media',
  sequence_number: '4',
  media: { track, chunk: '2', timestamp: String(timestamp), payload: payload.toString('base64') },
  stream_id: '32DE',
})

describe('telnyxMedia()', () => {
  test.each([
    ['PCMU', 8000, 'mulaw', {}],
    ['PCMA', 8000, 'alaw', {}],
    ['L16', 16_000, 's16le', {}],
    ['L16', 16_000, 's16be', { l16: 's16be' as const }],
  ] as const)('%s at %i Hz is %s', async (name, sampleRate, encoding, options) => {
    const heard = await hear(telnyxMedia(options), [telnyx(name, sampleRate)])
    expect(heard.starts[0]).toMatchObject({
      format: pcmFormat({ sampleRate, encoding }),
      tracks: ['inbound', 'outbound'],
    })
  })

  test('packets in any order give the same audio through a timeline', async () => {
    const format = pcmFormat({ sampleRate: 16_000 })
    const packets = Array.from({ length: 100 }, (_, n) =>
      telnyxPacket('inbound', n * 20, Buffer.alloc(640, n + 1)),
    )
    const shuffled = packets.map((_, n) => packets[n ^ 3]!)
    const call = timeline(format, { tracks: ['inbound', 'outbound'], output: 'mix' })
    const done = pipeline(Readable.from([telnyx('L16', 16_000), ...shuffled]), telnyxMedia(), call)
    const bytes = Buffer.concat(await call.toArray())
    await done
    expect(bytes.equals(Buffer.concat(packets.map((_, n) => Buffer.alloc(640, n + 1))))).toBe(true)
  })
})

describe('vonageMedia()', () => {
  test.each([8000, 16_000, 24_000])('binary audio at %i Hz behind a message of JSON', async (rate) => {
    const first = { event: 'websocket:connected', 'content-type': `audio/l16;rate=${rate}`, app: 'demo' }
    const cleared = { event: 'websocket:cleared' }
    const audio = Buffer.alloc(rate / 25, 0x7b) // of braces, which is not JSON for all that
    const texts = [JSON.stringify(first), audio, Buffer.from(JSON.stringify(cleared)), audio]
    const heard = await hear(vonageMedia(), texts)
    expect(heard.error).toBeUndefined()
    expect(heard.starts).toEqual([
      { format: pcmFormat({ sampleRate: rate }), tracks: ['inbound'], message: first },
    ])
    expect(places(heard)).toEqual([
      ['inbound', 0, rate / 25],
      ['inbound', rate / 50, rate / 25],
    ])
    expect(heard.messages).toEqual([cleared])
  })

  test.each([
    [[Buffer.alloc(2)]],
    [['{"content-type":"audio/l16;rate=44100"}']],
    [['{"content-type":"audio/l16;rate=8000"}', Buffer.alloc(3)]],
  ])('out of protocol: %#', async (messages) => {
    expect((await hear(vonageMedia(), messages)).error).toEqual(MESSAGE)
  })
})

const append = (frames: number) => ({
  type: 'input_audio_buffer.append',
  audio: Buffer.alloc(frames * 2, 1).toString('base64'),
})
const delta = (item: string, frames: number, type = 'response.output_audio.delta') => ({
  type,
  event_id: 'e',
  response_id: 'r',
  item_id: item,
  output_index: 0,
  content_index: 0,
  delta: Buffer.alloc(frames * 2, 2).toString('base64'),
})
/** Stretches of a track, joined. */
function stretches(heard: Heard, name: string): [number, number][] {
  const joined: [number, number][] = []
  for (const { track, at, data } of heard.items) {
    if (track !== name) continue
    const last = joined.at(-1)
    if (last?.[1] === at) last[1] = at + data.length / 2
    else joined.push([at, at + data.length / 2])
  }
  return joined
}

describe('openaiRealtime()', () => {
  test.each(['response.output_audio.delta', 'response.audio.delta'])(
    'a reply lies at the time at which it plays, even if it comes faster (%s)',
    async (type) => {
      const appends = (count: number) => new Array(count).fill(append(480))
      const messages = [
        ...appends(10),
        delta('a', 4800, type),
        delta('a', 4800, type),
        ...appends(50),
        delta('b', 480, type),
        { type: 'response.done' },
      ]
      const parser = openaiRealtime()
      const heard = await hear(
        parser,
        messages.map((message) => JSON.stringify(message)),
      )
      expect(heard.error).toBeUndefined()
      expect(heard.starts.length).toBe(1)
      expect(parser.format).toEqual(pcmFormat({ sampleRate: 24_000 }))
      expect(stretches(heard, 'user')).toEqual([[0, 28_800]])
      expect(stretches(heard, 'assistant')).toEqual([
        [4800, 14_400],
        [28_800, 29_280],
      ])
      expect(heard.messages).toEqual([{ type: 'response.done' }])
      // it never runs ahead of the user, whose next audio would be late
      let user = 0
      for (const { track, at, data } of heard.items.slice(0, -1)) {
        if (track === 'user') user = at + data.length / 2
        else expect(at + data.length / 2).toBeLessThanOrEqual(user)
      }
    },
  )

  test('the part of a reply that an interruption cut off is left out', async () => {
    const messages = [
      append(480),
      delta('a', 24_000),
      ...new Array(10).fill(append(480)),
      { type: 'conversation.item.truncated', item_id: 'a', content_index: 0, audio_end_ms: 300 },
      ...new Array(40).fill(append(480)),
    ]
    const heard = await hear(openaiRealtime(), messages)
    expect(stretches(heard, 'assistant')).toEqual([[480, 480 + 7200]])
  })

  test('a second reply follows the first, and the end passes on the rest', async () => {
    const heard = await hear(openaiRealtime(), [append(480), delta('a', 2400), delta('b', 2400)])
    expect(stretches(heard, 'assistant')).toEqual([[480, 5280]])
  })
})
