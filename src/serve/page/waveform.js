import { clock } from './api.js'

/** seconds that a recording which has just begun has room for */
const LEAST_SECONDS = 20
const AXIS = 22
const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400]

/** A recording as a picture, whole at every moment: it shrinks while it grows. */
export class Waveform {
  #canvas
  #peaks = new Int8Array(4096)
  #length = 0
  framesPerPeak = 800
  sampleRate = 16000
  frames = 0
  isLive = false
  position = 0
  /** @type {{ at: number }[]} */
  marks = []
  /** @type {{ start: number, end: number }[]} */
  passages = []

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas
  }

  clear() {
    this.#length = 0
  }

  /** @param {number} start the place of the first @param {string} base64 pairs of bytes @returns the loudest, up to 1 */
  add(start, base64) {
    const bytes = Int8Array.from(atob(base64), (char) => char.charCodeAt(0))
    const length = start + bytes.length / 2
    while (length * 2 > this.#peaks.length) {
      const longer = new Int8Array(this.#peaks.length * 2)
      longer.set(this.#peaks)
      this.#peaks = longer
    }
    this.#peaks.set(bytes, start * 2)
    this.#length = Math.max(this.#length, length)
    return bytes.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
  }

  /** the frames that it has room for */
  get #room() {
    return Math.max(this.frames, this.isLive ? LEAST_SECONDS * this.sampleRate : 1)
  }

  /** The frame under a place on the screen. @param {number} clientX */
  frameAt(clientX) {
    const { left, width } = this.#canvas.getBoundingClientRect()
    return Math.min(this.frames, Math.max(0, ((clientX - left) / width) * this.#room))
  }

  draw() {
    const canvas = this.#canvas
    const ratio = window.devicePixelRatio
    const { clientWidth: width, clientHeight } = canvas
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(clientHeight * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(clientHeight * ratio)
    }
    const style = getComputedStyle(canvas)
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`)
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, clientHeight)
    const height = clientHeight - AXIS
    const room = this.#room
    const x = (/** @type {number} */ frame) => (frame / room) * width

    pen.fillStyle = colour('speech')
    for (const { start, end } of this.passages)
      pen.fillRect(x(start), 0, Math.max(2, x(end) - x(start)), height)

    const perBar = (room / this.framesPerPeak / width) * 3
    const [played, ahead] = [new Path2D(), new Path2D()]
    for (let left = 0; left < width; left += 3) {
      const from = Math.floor((left / 3) * perBar)
      const to = Math.min(this.#length, Math.max(from + 1, Math.floor((left / 3 + 1) * perBar)))
      if (from >= to) break
      let low = 127
      let high = -127
      for (let i = from; i < to; i++) {
        low = Math.min(low, this.#peaks[i * 2])
        high = Math.max(high, this.#peaks[i * 2 + 1])
      }
      const top = Math.min((1 - high / 127) * (height / 2), height / 2 - 1)
      const path = left < x(this.position) ? played : ahead
      path.roundRect(left, top, 2, Math.max(2, ((high - low) / 254) * height), 1)
    }
    pen.fillStyle = colour('accent')
    pen.fill(played)
    pen.fillStyle = colour('wave')
    pen.fill(ahead)

    pen.font = '12px system-ui, sans-serif'
    pen.fillStyle = colour('quiet')
    const seconds = room / this.sampleRate
    const step = STEPS.find((each) => (each / seconds) * width > 60) ?? 86_400
    for (let at = 0; at < seconds; at += step) {
      const left = x(at * this.sampleRate)
      if (left < width - 30) pen.fillText(clock(at), left, clientHeight - 5)
    }

    pen.fillStyle = colour('record')
    for (const { at } of this.marks) {
      pen.fillRect(x(at) - 0.5, 0, 1, height)
      pen.beginPath()
      pen.arc(Math.max(4, Math.min(width - 4, x(at))), 4, 4, 0, 7)
      pen.fill()
    }
    pen.fillStyle = colour('ink')
    pen.fillRect(Math.max(0, Math.min(width - 2, x(this.position) - 1)), 0, 2, height)
  }
}
