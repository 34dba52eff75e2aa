// A server for the media streams of telephone services, on a real WebSocket: all sides of each call in one WAV, in step,
// and the sentences of each side with their times. Twilio: <Start><Stream url="wss://…" track="both_tracks"/>; Telnyx:
// streaming_start with stream_track both_tracks; Vonage: the websocket endpoint of a connect action.
// npm install ws, then: node examples/phone-call.mjs [port] [folder] [twilio, telnyx or vonage]
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { convert, pcmFormat, segment, timeline, VirtualFile, wavHeader } from 'wavespool'
import { telnyxMedia, twilioMedia, vonageMedia } from 'wavespool/telephony'
import { createWebSocketStream, WebSocketServer } from 'ws'

const [port = '8080', folder = '.', vendor = 'twilio'] = process.argv.slice(2)
const names = { inbound: 'caller', outbound: 'agent' }
const parsers = { twilio: twilioMedia, telnyx: telnyxMedia, vonage: vonageMedia }
const makeParser = parsers[/** @type {keyof typeof parsers} */ (vendor)]
const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1' })
server.on('connection', (socket) => record(socket).catch((error) => console.error(error.message)))
await once(server, 'listening')
const address = server.address()
console.log(`listening on ${typeof address === 'object' ? address?.port : address}`)

/** @param {import('ws').WebSocket} socket */
async function record(socket) {
  // in object mode each message stays one
  const messages = createWebSocketStream(socket, { readableObjectMode: true })
  const parser = makeParser({ tracks: names, invalid: 'skip' })
  parser.on('invalid', (error) => console.log(`skipped: ${error.message}`))
  messages.once('error', (error) => parser.destroy(error))
  messages.pipe(parser)
  // the first message tells the format and the tracks: Vonage has one, the others two
  const [{ format: voice, tracks, message }] = await once(parser, 'start')
  const { callSid, call_control_id, uuid } = message.start ?? message
  console.log(`call ${callSid ?? call_control_id ?? uuid}`)

  const call = timeline(voice, { tracks })
  call.on('gap', ({ track, at, frames }) => {
    const [seconds, from] = [frames / voice.sampleRate, at / voice.sampleRate]
    console.log(`${track} sent nothing for ${seconds} s from ${from} s`)
  })
  const pcm = pcmFormat({ sampleRate: voice.sampleRate, channels: tracks.length })
  const samples = convert(call.format, pcm)
  const file = new VirtualFile({
    name: 'call.wav',
    storage: { path: join(folder, 'call.wav'), overwrite: true },
  })
  const sentences = tracks.map((/** @type {string} */ track, /** @type {number} */ channel) => {
    const branch = new PassThrough()
    samples.pipe(branch)
    const mono = pcmFormat({ sampleRate: voice.sampleRate })
    return pipeline(branch, convert(pcm, mono, { channel }), ...sentencesOf(track, mono))
  })
  await Promise.all([pipeline(parser, call, samples, wavHeader(pcm), file), ...sentences])
  console.log(`recorded ${file.duration} s`)
  await file.dispose()
}

/** @param {string} track @param {import('wavespool').PcmFormat} format */
function sentencesOf(track, format) {
  const time = (/** @type {number} */ frame) => `${frame / format.sampleRate} s`
  /** @param {AsyncIterable<import('wavespool').Segment>} segments */
  const tell = async (segments) => {
    for await (const { file, start, end } of segments) {
      console.log(`${track} speaks from ${time(start)} to ${time(end)}`) // await transcribe(await file.toFile())
      await file.dispose()
    }
  }
  return /** @type {const} */ ([segment(format, { silence: { seconds: 0.7 } }), tell])
}
