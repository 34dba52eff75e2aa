import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'
import {
  convert,
  pcmFormat,
  readWavHeader,
  type Segment,
  segment,
  timeline,
  VirtualFile,
  wavHeader,
} from '../../src/index.ts'
import { twilioMedia } from '../../src/telephony/index.ts'
import { hasTool, run } from '../oracles/tools.ts'

const isReady = hasTool('espeak-ng') && hasTool('sox')
const RATE = 8000
const PACKET = 160
const phone = pcmFormat({ sampleRate: RATE, encoding: 'mulaw' })
const tracks = ['inbound', 'outbound']
/** µ-law's zero */
const SILENCE = 0xff
/** The stretch in which the second voice sends nothing at all, in seconds. */
const SILENT = { from: 30, to: 90 }
const SECONDS = 100

/** The sentences of both speakers, with their begin in seconds. */
const script = [
  { track: 0, at: 1, text: 'Good morning, my name is Anna Smith.' },
  { track: 1, at: 4.5, text: 'Hello Anna, how can I help you today?' },
  { track: 0, at: 9, text: 'My bicycle was delivered without a front wheel.' },
  { track: 1, at: 14, text: 'I am sorry to hear that.' },
  { track: 1, at: 20, text: 'Please hold the line for a minute.' },
  { track: 0, at: 40, text: 'Nobody is speaking to me.' },
  { track: 0, at: 70, text: 'I am still waiting here.' },
  { track: 1, at: 91, text: 'Thank you for your patience.' },
  { track: 0, at: 95, text: 'Finally, there you are.' },
]

/** A sentence as µ-law, without the silence around it. */
function say(track: number, text: string): Buffer {
  const wav = run('espeak-ng', ['-v', track === 0 ? 'en+f3' : 'en+m3', '-s', '160', '--stdout', text])
  const raw = ['-t', 'raw', '-e', 'mu-law', '-b', '8', '-c', '1', '-r', String(RATE), '-']
  const trim = ['silence', '1', '0.01', '1%', 'reverse', 'silence', '1', '0.01', '1%', 'reverse']
  return run('sox', ['-R', '-D', '-t', 'wav', '--ignore-length', '-', ...raw, ...trim], wav)
}

const spoken = () => {
  const voices = tracks.map(() => Buffer.alloc(SECONDS * RATE, SILENCE))
  const sentences = script.map(({ track, at, text }) => {
    const audio = say(track, text)
    audio.copy(voices[track]!, at * RATE)
    return { track, text, start: at, end: at + audio.length / RATE }
  })
  return { voices, sentences }
}

/** Packets as they arrive: each up to 150 ms late, and none of the second voice while that is silent. */
function packetsOf(voices: Buffer[]) {
  const packets = voices.flatMap((voice, track) =>
    Array.from({ length: voice.length / PACKET }, (_, n) => ({
      track: tracks[track]!,
      timestamp: n * 20,
      payload: voice.toString('base64', n * PACKET, (n + 1) * PACKET),
      arrival: n * 20 + ((n * 7919 + track * 31) % 150),
    })).filter(
      ({ timestamp }) => track === 0 || timestamp < SILENT.from * 1000 || timestamp >= SILENT.to * 1000,
    ),
  )
  return packets.sort((a, b) => a.arrival - b.arrival)
}

async function call(url: string, packets: ReturnType<typeof packetsOf>): Promise<void> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const send = (message: object) => socket.send(JSON.stringify({ streamSid: 'MZ1', ...message }))
  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: RATE, channels: 1 }
  send({ event: 'connected', protocol: 'Call', version: '1.0.0' })
  send({ event: 'start', start: { streamSid: 'MZ1', callSid: 'CA1', tracks, mediaFormat } })
  for (const [n, { track, timestamp, payload }] of packets.entries()) {
    send({ event: 'media', media: { track, chunk: String(n), timestamp: String(timestamp), payload } })
  }
  send({ event: 'stop', stop: { callSid: 'CA1' } })
  socket.close()
}

describe.skipIf(!isReady)('two voices over a WebSocket', () => {
  test('are in step from begin to end, and each sentence lies at its time', async () => {
    const { voices, sentences } = spoken()
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    const calling = call(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, packetsOf(voices))
    const [socket] = (await once(server, 'connection')) as [WebSocket]

    const messages = createWebSocketStream(socket, { readableObjectMode: true })
    const both = timeline(phone, { tracks })
    const file = new VirtualFile({ name: 'call.wav' })
    const found: { track: number; start: number; end: number }[] = []
    const cutting = tracks.map((_, track) => {
      const branch = new PassThrough()
      both.pipe(branch)
      const voice = pcmFormat({ sampleRate: RATE })
      const cut = segment(voice, { silence: { seconds: 0.6 } })
      return pipeline(branch, convert(both.format, voice, { channel: track }), cut, async (segments) => {
        for await (const { start, end, file: sentence } of segments as AsyncIterable<Segment>) {
          found.push({ track, start: start / RATE, end: end / RATE })
          await sentence.dispose()
        }
      })
    })
    await Promise.all([
      pipeline(messages, twilioMedia(), both, wavHeader(both.format), file),
      ...cutting,
      calling,
    ])
    server.close()

    const wav = await file.toBuffer()
    const { dataStart, dataBytes } = readWavHeader(wav)!
    const audio = wav.subarray(dataStart, dataStart + dataBytes)
    for (const [track, voice] of voices.entries()) {
      const channel = Buffer.from(audio.filter((_, i) => i % 2 === track))
      expect(channel.equals(voice), tracks[track]).toBe(true)
    }
    // Only the audio that was never sent is reported as a gap.
    const [from, to] = [SILENT.from * RATE, SILENT.to * RATE]
    expect(both.gaps).toEqual([{ track: 'outbound', at: from, frames: to - from }])

    for (const { track, text, start, end } of sentences) {
      const place = found.filter((it) => it.track === track && it.start < end && it.end > start)
      expect(place.length, text).toBe(1)
      expect(Math.abs(place[0]!.start - start), text).toBeLessThan(0.2)
      expect(Math.abs(place[0]!.end - end), text).toBeLessThan(0.2)
    }
    expect(found.length).toBe(sentences.length)
  })
})
