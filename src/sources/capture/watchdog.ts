import { WavespoolError } from '../../errors.ts'

/** A device that was told to stop has this many seconds to close. */
const CLOSING_SECONDS = 2

/**
 * Barks when a device gives nothing for too long: a blocking read of a device whose server died never returns, and
 * gives no error. It counts ticks instead of looking at the clock, so that a process that was itself suspended does
 * not blame the device.
 */
export class Watchdog {
  /** Rejects with `ERR_WAVESPOOL_DEVICE`; never resolves. */
  readonly barked: Promise<never>
  readonly #timer: NodeJS.Timeout
  #allowed: number
  #hungry = 0

  constructor(seconds: number, deviceName: string) {
    this.#allowed = seconds
    let bark: (error: Error) => void
    this.barked = new Promise((_, reject) => {
      bark = reject
    })
    this.barked.catch(() => {})
    this.#timer = setInterval(() => {
      this.#hungry += 1
      if (this.#hungry < this.#allowed) return
      bark(
        new WavespoolError(
          'ERR_WAVESPOOL_DEVICE',
          `${JSON.stringify(deviceName)} has been giving no audio for ${this.#hungry} s: it may have been unplugged, or the sound server ended. All that it had recorded was delivered; open it again`,
        ),
      )
      this.end()
    }, 1000)
  }

  /** Something came. */
  feed(): void {
    this.#hungry = 0
  }

  /** The device was told to stop. */
  hurry(): void {
    this.#allowed = Math.min(this.#allowed, CLOSING_SECONDS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
