// A call as Twilio's media streams send it over a WebSocket: JSON messages `start`, `media` and `stop`, with 20 ms of
// µ-law at 8 kHz in each `media`, for one of two tracks. What comes out is one stream of both, side by side.
import { Readable } from 'node:stream'
import { pcmFormat } from 'wavespool'

/** The caller is the left channel, who is called the right one. */
export const callFormat = pcmFormat({ sampleRate: 8000, channels: 2, encoding: 'mulaw' })
const channels = { inbound: 0, outbound: 1 }
const SILENCE = 0xff
/** How long one track is waited for while the other one goes on, in frames. */
const WINDOW = 1600
const FRAMES_PER_MS = 8

/**
 * A Readable in `callFormat`. Emits `'start'` with the call's id, and the frame of the call at which this stream of it
 * begins: a caller who had to connect again says how far the call was (`customParameters.offset`, in ms).
 */
export class TwilioCall extends Readable {
  /** what was not delivered yet, from frame `#at` on */
  #pending = Buffer.alloc(0)
  #at = 0
  /** where each track ends, in frames */
  #ends = [0, 0]

  /** @param {import('ws').WebSocket} socket */
  constructor(socket) {
    super({ read() {} })
    socket.on('message', (bytes) => this.#take(JSON.parse(String(bytes))))
    socket.once('close', () => this.#finish())
    socket.once('error', (error) => this.destroy(error))
  }

  /** @param {any} message */
  #take({ event, start, media }) {
    if (event === 'start') {
      const at = Math.round(Number(start.customParameters?.offset ?? 0)) * FRAMES_PER_MS
      this.emit('start', { id: start.callSid, at })
    } else if (event === 'media') {
      const channel = channels[/** @type {'inbound' | 'outbound'} */ (media.track)]
      this.#place(channel, Number(media.timestamp) * FRAMES_PER_MS, Buffer.from(media.payload, 'base64'))
    } else if (event === 'stop') {
      this.#finish()
    }
  }

  /** @param {number} channel @param {number} at @param {Buffer} samples */
  #place(channel, at, samples) {
    const end = at + samples.length
    const size = 2 * (end - this.#at)
    if (size > this.#pending.length) {
      this.#pending = Buffer.concat([this.#pending, Buffer.alloc(size - this.#pending.length, SILENCE)])
    }
    for (let i = Math.max(0, this.#at - at); i < samples.length; i++) {
      this.#pending[2 * (at - this.#at + i) + channel] = /** @type {number} */ (samples[i])
    }
    this.#ends[channel] = Math.max(/** @type {number} */ (this.#ends[channel]), end)
    this.#deliver(Math.max(Math.min(...this.#ends), Math.max(...this.#ends) - WINDOW))
  }

  /** @param {number} end */
  #deliver(end) {
    if (end <= this.#at) return
    const bytes = 2 * (end - this.#at)
    this.push(this.#pending.subarray(0, bytes))
    this.#pending = this.#pending.subarray(bytes)
    this.#at = end
  }

  #finish() {
    this.#deliver(Math.max(...this.#ends))
    this.push(null)
  }
}
