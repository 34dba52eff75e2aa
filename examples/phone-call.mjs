// A server for Twilio Media Streams (<Start><Stream url="wss://…" track="both_tracks"/>), on a real WebSocket: both sides
// of each call in one stereo WAV, in step, and the sentences of each side with their times.
// npm install ws, then: node examples/phone-call.mjs [port] [folder]
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { convert, pcmFormat, segment, timeline, VirtualFile, wavHeader } from 'wavespool'
import { twilioMedia } from 'wavespool/telephony'
import { createWebSocketStream, WebSocketServer } from 'ws'

const [port = '8080', folder = '.'] = process.argv.slice(2)
const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1' })
server.on('connection', (socket) => record(socket).catch((error) => console.error(error.message)))
await once(server, 'listening')
const address = server.address()
console.log(`listening on ${typeof address === 'object' ? address?.port : address}`)

/** @param {import('ws').WebSocket} socket */
async function record(socket) {
  // in object mode each message stays one
  const messages = createWebSocketStream(socket, { readableObjectMode: true })
  const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
  const names = { inbound: 'caller', outbound: 'agent' }
  const parser = twilioMedia({ tracks: names, invalid: 'skip' })
  parser.on('start', ({ message }) =>
    console.log(`call ${message.start.callSid} from ${message.start.accountSid}`),
  )
  parser.on('invalid', (error) => console.log(`skipped: ${error.message}`))

  const tracks = Object.values(names)
  const call = timeline(phone, { tracks })
  call.on('gap', ({ track, at, frames }) =>
    console.log(`${track} sent nothing for ${frames / 8000} s from ${at / 8000} s`),
  )

  const stereo = pcmFormat({ sampleRate: 8000, channels: 2 })
  const samples = convert(call.format, stereo)
  const file = new VirtualFile({
    name: 'call.wav',
    storage: { path: join(folder, 'call.wav'), overwrite: true },
  })
  const sentences = tracks.map((track, channel) => {
    const branch = new PassThrough()
    samples.pipe(branch)
    return pipeline(
      branch,
      convert(stereo, pcmFormat({ sampleRate: 8000 }), { channel }),
      ...sentencesOf(track),
    )
  })
  await Promise.all([pipeline(messages, parser, call, samples, wavHeader(stereo), file), ...sentences])
  console.log(`recorded ${file.duration} s`)
  await file.dispose()
}

/** @param {string} track */
function sentencesOf(track) {
  const format = pcmFormat({ sampleRate: 8000 })
  /** @param {AsyncIterable<import('wavespool').Segment>} segments */
  const tell = async (segments) => {
    for await (const { file, start, end } of segments) {
      console.log(`${track} speaks from ${start / 8000} s to ${end / 8000} s`) // await transcribe(await file.toFile())
      await file.dispose()
    }
  }
  return /** @type {const} */ ([segment(format, { silence: { seconds: 0.7 } }), tell])
}
