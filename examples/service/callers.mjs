// Mock calls: WebSockets that send both tracks as Twilio does, 20 ms at a time, in real time. The caller speaks, the one
// who is called listens and says a word in every pause of some; one whose connection breaks connects again elsewhere.
import { buffer } from 'node:stream/consumers'
import { convert, pcmFormat } from 'wavespool'
import { speech } from 'wavespool/testing'
import { WebSocket } from 'ws'

const FRAME_MS = 20
const FRAME_BYTES = 160
/** A mask of zeros spares the masking: no cache between here and the ingest could be poisoned. @param {Buffer} mask */
const generateMask = (mask) => void mask.fill(0)
/** How long a caller waits before it connects again. */
const RECONNECT_MS = 300

const samples = pcmFormat({ sampleRate: 8000 })
const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })

/** Ten rounds of a sentence and a pause, as payloads. @param {number} sentence @param {number} pause seconds of each */
async function payloads(sentence, pause) {
  const voice = speech(samples, {
    sentence: { seconds: sentence },
    pause: { seconds: pause },
    duration: { seconds: 10 * (sentence + pause) },
  })
  const bytes = await buffer(voice.pipe(convert(samples, phone)))
  return Array.from({ length: bytes.length / FRAME_BYTES }, (_, i) =>
    bytes.toString('base64', i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
  )
}

/**
 * @typedef {object} Call
 * @property {string} id
 * @property {number} beganAt as of `Date.now()`
 * @property {number} connections how often it had to connect
 * @property {number} sent milliseconds of the call that were sent
 * @property {number} missed milliseconds of the call in which there was no connection
 */

/**
 * Makes calls for so many seconds, spread over the ingests, and resolves when they have ended.
 *
 * @param {string[]} urls @param {{ calls: number, seconds: number }} options
 * @returns {Promise<{ calls: Call[], ended: Promise<void> }>}
 */
export async function makeCalls(urls, { calls: count, seconds }) {
  const inbound = await payloads(1.6, 0.8)
  const outbound = await payloads(0.4, 4.4)
  const calls = Array.from({ length: count }, (_, n) => makeCall(n))

  /** @param {number} n */
  function makeCall(n) {
    const call = { id: `call-${n + 1}`, beganAt: Date.now(), connections: 0, sent: 0, missed: 0 }
    /** @type {WebSocket | undefined} */
    let socket
    let offset = 0
    let isOver = false

    function open() {
      const url = /** @type {string} */ (urls[(n + call.connections) % urls.length])
      call.connections++
      const opening = new WebSocket(url, { generateMask })
      opening.once('open', () => {
        offset = FRAME_MS * Math.floor((Date.now() - call.beganAt) / FRAME_MS)
        call.missed += offset - call.sent
        call.sent = offset
        const customParameters = { offset: `${offset}` }
        const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }
        const tracks = ['inbound', 'outbound']
        const start = { callSid: call.id, tracks, mediaFormat, customParameters }
        opening.send(JSON.stringify({ event: 'start', start }))
        socket = opening
      })
      opening.once('error', () => {})
      opening.once('close', () => {
        socket = undefined
        if (!isOver) setTimeout(open, RECONNECT_MS)
      })
    }

    /** Sends what is due. */
    function send() {
      const due = Math.min(Date.now() - call.beganAt, seconds * 1000)
      for (; socket?.readyState === WebSocket.OPEN && call.sent + FRAME_MS <= due; call.sent += FRAME_MS) {
        const frame = call.sent / FRAME_MS
        const timestamp = call.sent - offset
        for (const [track, voice] of /** @type {const} */ ([
          ['inbound', inbound],
          ['outbound', outbound],
        ])) {
          const payload = voice[(frame + 13 * n) % voice.length]
          socket.send(
            `{"event":"media","media":{"track":"${track}","timestamp":"${timestamp}","payload":"${payload}"}}`,
          )
        }
      }
    }

    /** @returns {Promise<void>} */
    function end() {
      isOver = true
      return new Promise((resolve) => {
        if (socket === undefined) return resolve()
        socket.send(JSON.stringify({ event: 'stop' }))
        socket.once('close', () => resolve())
        socket.close()
      })
    }

    open()
    return Object.assign(call, { send, end })
  }

  const timer = setInterval(() => {
    for (const call of calls) call.send()
  }, FRAME_MS)
  const ended = new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 200)).then(async () => {
    clearInterval(timer)
    await Promise.all(calls.map((call) => call.end()))
  })
  return { calls, ended }
}
