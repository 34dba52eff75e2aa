// A call as Twilio's media streams send it over a WebSocket, with both tracks side by side in one stream.
import { once } from 'node:events'
import { pcmFormat, timeline } from 'wavespool'
import { twilioMedia } from 'wavespool/telephony'
import { createWebSocketStream } from 'ws'

const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
/** The caller is the left channel, who is called the right one. */
const tracks = ['inbound', 'outbound']
export const callFormat = pcmFormat({ ...phone, channels: tracks.length })

/**
 * The audio of a call in `callFormat`, with the call's id and the frame of the call at which this stream of it begins. A
 * caller who had to connect again says how far the call was, in ms (`customParameters.offset`).
 *
 * @param {import('ws').WebSocket} socket
 * @returns {Promise<{ call: import('wavespool').Timeline, id: string, at: number }>}
 */
export async function twilioCall(socket) {
  const messages = createWebSocketStream(socket, { readableObjectMode: true })
  const parser = twilioMedia({ invalid: 'skip' })
  messages.once('error', () => parser.end()) // a broken connection: what came until then is recorded
  messages.pipe(parser)
  const unbegun = new AbortController()
  socket.once('close', () => unbegun.abort(new Error('the call ended before it began')))
  const [{ message }] = await once(parser, 'start', { signal: unbegun.signal })
  const { callSid, customParameters } = message.start
  const at = Math.round((Number(customParameters?.offset ?? 0) * phone.sampleRate) / 1000)
  return { call: parser.pipe(timeline(phone, { tracks })), id: callSid, at }
}
