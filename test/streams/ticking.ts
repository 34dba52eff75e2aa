import { Readable } from 'node:stream'

/** Endless, in real time but fast, without a stop(). */
export class Ticking extends Readable {
  delivered = 0
  timer: NodeJS.Timeout | undefined
  constructor(header: Uint8Array = new Uint8Array(0)) {
    super()
    this.push(header)
  }
  override _read() {
    this.timer ??= setInterval(() => {
      this.delivered += 640
      this.push(Buffer.alloc(640))
    }, 2)
  }
  override _destroy(error: Error | null, callback: (error: Error | null) => void) {
    clearInterval(this.timer)
    this.timer = undefined
    callback(error)
  }
}
