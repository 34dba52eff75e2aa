import { WavespoolError } from '../../../errors.ts'

/** A device that was told to stop has this many seconds to close. */
const CLOSING_SECONDS = 2

/**
 * Times out when a device gives nothing for too long: a blocking read of a device whose server died never returns, and
 * gives no error. It counts ticks instead of looking at the clock, so that a process that was itself suspended does
 * not blame the device.
 */
export class Watchdog {
  /** Rejects with `ERR_WAVESPOOL_DEVICE`; never resolves. */
  readonly timedOut: Promise<never>
  readonly #timer: NodeJS.Timeout
  #allowed: number
  #idleSeconds = 0

  constructor(seconds: number, deviceName: string) {
    this.#allowed = seconds
    let timeOut: (error: Error) => void
    this.timedOut = new Promise((_, reject) => {
      timeOut = reject
    })
    this.timedOut.catch(() => {})
    this.#timer = setInterval(() => {
      this.#idleSeconds += 1
      if (this.#idleSeconds < this.#allowed) return
      timeOut(
        new WavespoolError(
          'ERR_WAVESPOOL_DEVICE',
          `${JSON.stringify(deviceName)} has been giving no audio for ${this.#idleSeconds} s: it may have been unplugged, or the sound server ended. All that it had recorded was delivered; open it again`,
        ),
      )
      this.end()
    }, 1000)
  }

  /** Something came. */
  reset(): void {
    this.#idleSeconds = 0
  }

  /** The device was told to stop. */
  shorten(): void {
    this.#allowed = Math.min(this.#allowed, CLOSING_SECONDS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
