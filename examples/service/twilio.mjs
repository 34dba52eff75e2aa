// A call as Twilio's media streams send it over a WebSocket: JSON messages `start`, `media` and `stop`, with 20 ms of
// µ-law at 8 kHz in each `media`, for one of two tracks. What comes out is one stream of both, side by side.
import { pcmFormat, timeline } from 'wavespool'

const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
/** The caller is the left channel, who is called the right one. */
const tracks = ['inbound', 'outbound']
export const callFormat = pcmFormat({ ...phone, channels: tracks.length })

/**
 * The audio of a call in `callFormat`, with the promise of what it is: the call's id, and the frame of the call at which
 * this stream of it begins. A caller who had to connect again says how far the call was, in ms
 * (`customParameters.offset`).
 *
 * @param {import('ws').WebSocket} socket
 * @returns {{ call: import('wavespool').Timeline, started: Promise<{ id: string, at: number }> }}
 */
export function twilioCall(socket) {
  const call = timeline(phone, { tracks })
  const frames = (/** @type {unknown} */ ms) => Math.round((Number(ms) * phone.sampleRate) / 1000)
  const started = new Promise((resolve, reject) => {
    socket.on('message', (bytes) => {
      const { event, start, media } = JSON.parse(String(bytes))
      if (event === 'start') {
        resolve({ id: start.callSid, at: frames(start.customParameters?.offset ?? 0) })
      } else if (event === 'media') {
        const data = Buffer.from(media.payload, 'base64')
        call.write({ track: media.track, at: frames(media.timestamp), data })
      } else if (event === 'stop') {
        call.end()
      }
    })
    socket.once('close', () => {
      call.end()
      reject(new Error('the call ended before it began'))
    })
  })
  return { call, started }
}
