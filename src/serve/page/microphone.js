import { ask, pathOf } from './api.js'

/** A connection that says nothing for so long, in milliseconds, is given up. */
const PATIENCE = 4000

/** The browser's processing for calls spoils recordings. */
const audio = { echoCancellation: false, autoGainControl: false, noiseSuppression: false }

/**
 * Records with the browser's microphone.
 *
 * @param {string} name that the recording is to have
 * @param {(problem?: string) => void} onEnd
 */
export async function recordHere(name, onEnd) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
  const context = new AudioContext()
  void context.resume()
  const close = () => {
    for (const track of stream.getTracks()) track.stop()
    void context.close()
  }
  try {
    await context.audioWorklet.addModule('worklet.js')
    const { sampleRate } = context
    const begun = await ask('recordings', { microphone: 'browser', name, sampleRate })
    const mono = { numberOfOutputs: 0, channelCount: 1, channelCountMode: /** @type {const} */ ('explicit') }
    const recorder = new AudioWorkletNode(context, 'recorder', mono)
    const uplink = new Uplink(begun, (problem) => {
      close()
      onEnd(problem)
    })
    recorder.port.onmessage = ({ data }) => (data ? uplink.send(data) : uplink.end())
    context.createMediaStreamSource(stream).connect(recorder)
    stream.getTracks()[0]?.addEventListener('ended', () => recorder.port.postMessage(null)) // it was unplugged
    return { name: begun.name, stop: () => recorder.port.postMessage(null) }
  } catch (error) {
    close()
    throw error
  }
}

/** Delivers each sample once over a network that fails: unconfirmed samples are kept, and sent again. */
class Uplink {
  #key
  #url
  #onEnd
  /** @type {{ at: number, samples: Int16Array }[]} */
  #kept = []
  #frames = 0
  #isEnding = false
  #isEnded = false
  /** @type {WebSocket | undefined} */
  #socket
  #isWelcome = false
  #heardAt = 0

  /**
   * @param {{ name: string, key: string }} recording
   * @param {(problem?: string) => void} onEnd
   */
  constructor({ name, key }, onEnd) {
    this.#key = key
    this.#onEnd = onEnd
    this.#url = new URL(`${pathOf(name)}/microphone`, document.baseURI)
    this.#url.protocol = this.#url.protocol.replace('http', 'ws')
    this.#connect()
  }

  #connect() {
    const socket = new WebSocket(this.#url)
    this.#socket?.close()
    this.#socket = socket
    this.#isWelcome = false
    this.#heardAt = performance.now()
    const isCurrent = () => socket === this.#socket && !this.#isEnded
    const watch = setInterval(() => {
      if (!isCurrent()) clearInterval(watch)
      else if (performance.now() - this.#heardAt > PATIENCE) this.#connect()
    }, 500)
    socket.onopen = () => socket.send(this.#key)
    socket.onmessage = ({ data }) => {
      if (isCurrent()) this.#hear(JSON.parse(data))
    }
    socket.onclose = ({ code, reason }) => {
      clearInterval(watch)
      if (!isCurrent()) return
      if (code === 1008) this.#finish(reason)
      else setTimeout(() => isCurrent() && this.#connect(), 500)
    }
  }

  /** @param {{ received: number, isEnded?: boolean }} message */
  #hear({ received, isEnded }) {
    this.#heardAt = performance.now()
    this.#kept = this.#kept.filter(({ at, samples }) => at + samples.length > received)
    if (isEnded) this.#finish(received < this.#frames ? 'The server ended the recording.' : undefined)
    else if (!this.#isWelcome) {
      this.#isWelcome = true
      for (const piece of this.#kept) this.#transmit(piece)
      if (this.#isEnding) this.#socket?.send('end')
    }
  }

  /** @param {Int16Array} samples */
  send(samples) {
    const piece = { at: this.#frames, samples }
    this.#frames += samples.length
    if (samples.length > 0 && !this.#isEnded) this.#kept.push(piece)
    if (this.#isWelcome) this.#transmit(piece)
  }

  /** @param {{ at: number, samples: Int16Array }} piece */
  #transmit({ at, samples }) {
    const message = new Uint8Array(8 + samples.byteLength)
    new DataView(message.buffer).setFloat64(0, at, true)
    message.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 8)
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message)
  }

  end() {
    this.#isEnding = true
    if (this.#isWelcome && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('end')
  }

  /** @param {string} [problem] */
  #finish(problem) {
    this.#isEnded = true
    this.#kept = []
    this.#socket?.close()
    this.#onEnd(problem)
  }
}
