import { Readable } from 'node:stream'
import type { PcmFormat } from '../format/pcmFormat.ts'
import { clearTimeout, setTimeout } from '../realTimers.ts'
import type { Source } from '../sources/source.ts'

/** The part in use of a WebSocket of `ws`, declared here because the package is optional. */
export interface PageSocket {
  send(data: string): void
  close(code: number, reason: string): void
  terminate(): void
  pause(): void
  resume(): void
  once(event: 'message', listener: (data: Buffer) => void): unknown
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'close', listener: (code: number) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** bytes in front of the samples of a message: the frame that is the first of them, as a 64-bit float */
const HEAD_BYTES = 8
/** a page that went away by itself: it was closed, or loaded anew */
const GOING_AWAY = [1000, 1001]

/**
 * The microphone of a browser, as a source. The page sends PCM with its place, keeps unconfirmed audio, and
 * sends it again over the next connection, so that each frame arrives once. A page that is lost for
 * longer than `reconnectMilliseconds` ends the recording, one that is closed ends it at once.
 */
export class PageMicrophone extends Readable implements Source {
  readonly format: PcmFormat
  /** frames that have come */
  received = 0
  #socket: PageSocket | undefined
  /** runs out when nothing comes: a connection may be dead without having ended */
  readonly #timer: NodeJS.Timeout
  #isStopped = false

  constructor(format: PcmFormat, reconnectMilliseconds: number) {
    super()
    this.format = format
    this.#timer = setTimeout(() => this.stop(), reconnectMilliseconds)
    this.#timer.unref()
  }

  /** Takes the place of the connection that there was. */
  connect(socket: PageSocket): void {
    this.#timer.refresh()
    this.#socket?.terminate()
    this.#socket = socket
    socket.on('message', (data, isBinary) => {
      if (this.#socket === socket) this.#take(data, isBinary)
    })
    socket.on('close', (code) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (GOING_AWAY.includes(code)) this.stop()
    })
    this.#report()
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#isStopped) return
    this.#timer.refresh()
    if (!isBinary) {
      this.stop() // there is one message of text, and nothing is said behind it
      return
    }
    const { bytesPerFrame } = this.format
    const at = data.length >= HEAD_BYTES ? data.readDoubleLE() : Number.NaN
    const frames = (data.length - HEAD_BYTES) / bytesPerFrame
    if (!(at <= this.received) || at < 0 || !Number.isInteger(at) || !Number.isInteger(frames)) {
      this.#socket?.close(1007, `send from frame ${this.received} on`)
      return
    }
    const isNew = data.subarray(HEAD_BYTES + (this.received - at) * bytesPerFrame)
    if (isNew.length > 0) {
      this.received += isNew.length / bytesPerFrame
      if (!this.push(isNew)) this.#socket?.pause()
    }
    this.#report()
  }

  #report(): void {
    this.#socket?.send(JSON.stringify({ received: this.received }))
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#socket?.send(JSON.stringify({ received: this.received, isEnded: true }))
    this.#socket?.close(1000, 'the recording has ended')
    this.push(null)
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#isStopped = true
    this.#socket?.terminate()
    callback(error)
  }
}
