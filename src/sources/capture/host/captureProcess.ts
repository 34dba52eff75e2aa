import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { WavespoolError } from '../../../errors.ts'
import { clearTimeout, setTimeout } from '../../../realTimers.ts'
import { type CaptureMessage, Decoder, errorOf, type Fault } from '../protocol.ts'
import type { CaptureRequest, ChildRequest, DevicesRequest } from '../request.ts'
import { spawnChild } from './spawnChild.ts'
import { Tail } from './tail.ts'
import { takeWarmChild } from './warmChild.ts'

export interface CaptureListener {
  /** Everything but the last word; returns false to be given no more until `resume()`. */
  message(message: Exclude<CaptureMessage, { type: 'end' | 'error' }>): boolean
  /** The last word, once; behind all that was captured. `overflows`: times the device said that audio was lost. */
  finished(error: WavespoolError | undefined, overflows: number): void
}

/** A child that has said its last word has this long to go away by itself. */
const LEAVING_MS = 1000

/** The host's side of one capture child: starts it, asks it, reads it, and knows how it went. */
export class CaptureProcess {
  readonly #listener: CaptureListener
  readonly #decoder = new Decoder()
  readonly #child: ChildProcess
  readonly #audio: Readable | undefined
  readonly #stderr = new Tail()
  readonly #gone: Promise<void>
  #overflows = 0
  #lastWord: { error: WavespoolError | undefined } | undefined
  #isFinished = false
  #spawnError: Error | undefined

  constructor(request: CaptureRequest | DevicesRequest, listener: CaptureListener) {
    this.#listener = listener
    this.#child = takeWarmChild(request.backend) ?? spawnChild()
    this.#audio = this.#child.stdio[3] as Readable | undefined
    this.#gone = new Promise((resolve) => {
      this.#child.once('close', () => resolve())
    })
    this.#child.once('error', (error) => {
      this.#spawnError = error
      this.#end()
    })
    // Once 'close' has come, everything that the child wrote has been read.
    this.#child.once('close', () => this.#end())
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#overflows += bytes.toString().match(/input overflow/g)?.length ?? 0
    })
    this.#child.stderr?.on('data', (bytes: Buffer) => this.#stderr.push(bytes))
    this.#audio?.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#audio?.on('error', () => {})
    this.#ask(request)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Asks for the graceful end: `finished()` follows when all that was captured has been handed over. */
  stop(): void {
    this.#ask({ ask: 'stop' })
  }

  /** Goes on after a listener returned false. */
  resume(): void {
    this.#audio?.resume()
  }

  /** Kills the child at once; resolves when it is gone and the device is free. */
  async kill(): Promise<void> {
    this.#isFinished = true
    if (this.#child.pid === undefined) return
    this.#child.kill('SIGKILL')
    // Unread data would keep the pipes open, and 'close' from coming.
    this.#audio?.resume()
    await this.#gone
  }

  #ask(request: ChildRequest): void {
    // A child that has just died is noticed by 'close'; until then it cannot be asked, which is no news.
    if (this.#child.connected) this.#child.send(request, () => {})
  }

  #take(bytes: Buffer): void {
    if (this.#isFinished || this.#lastWord) return
    let messages: CaptureMessage[]
    try {
      messages = this.#decoder.push(bytes)
    } catch (error) {
      this.#lastWord = { error: this.#died('wrote something that is no audio', error) }
      this.#child.kill('SIGKILL')
      return
    }
    for (const message of messages) {
      if (message.type === 'end' || message.type === 'error') {
        this.#conclude(message.type === 'error' ? message.body : undefined)
        return
      }
      if (!this.#listener.message(message)) this.#audio?.pause()
    }
  }

  #conclude(fault: Fault | undefined): void {
    this.#lastWord = { error: fault && errorOf(fault) }
    this.#audio?.resume()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVING_MS)
    this.#child.once('close', () => clearTimeout(timer))
  }

  #end(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#listener.finished(this.#lastWord ? this.#lastWord.error : this.#died(), this.#overflows)
  }

  #died(how?: string, cause: unknown = this.#spawnError): WavespoolError {
    const { exitCode, signalCode } = this.#child
    const reason = this.#spawnError
      ? `could not be started: ${this.#spawnError.message}`
      : (how ?? `died (${signalCode ?? `exit code ${exitCode}`})`)
    const said = this.#stderr.lines()
    return new WavespoolError(
      'ERR_WAVESPOOL_CAPTURE',
      `the process that captures audio ${reason}; the audio that had arrived was delivered${said && `. It said: ${said}`}`,
      cause === undefined ? undefined : { cause },
    )
  }
}
