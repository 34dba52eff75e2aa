import type { Readable } from 'node:stream'
import { printable } from '../errors.ts'
import { type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { type PortAudioSource, portAudio } from '../sources/portAudio.ts'
import { type Level, meter } from '../streams/meter.ts'
import type { Stoppable } from '../streams/stopping.ts'
import { UsageError, type Values } from './command.ts'
import { backendOf, deviceOf } from './deviceOptions.ts'
import { inputFormat, type inputFormatOptions } from './formatOptions.ts'
import { type AudioInput, openInput } from './input.ts'
import { levelLine } from './terminal/levelLine.ts'
import { StatusLine } from './terminal/statusLine.ts'
import { paintFor, widthOf } from './terminal/style.ts'
import { byteSize, decibels, exactLength } from './terminal/units.ts'
import { wrapped } from './terminal/wrap.ts'

const METER_MILLISECONDS = 50

type SourceValues = Values<typeof inputFormatOptions> & {
  readonly from?: string | undefined
  readonly device?: string | undefined
  readonly backend?: string | undefined
}

/** A recording in progress: its source, its status line and its report. */
export class RecordSession {
  readonly #path: string
  readonly #isCompressed: boolean
  readonly #status = new StatusLine()
  #source: (Readable & Stoppable) | undefined
  #microphone: PortAudioSource | undefined
  #format = pcmFormat()
  #frames = 0
  #peak = Number.NEGATIVE_INFINITY
  #clipped = 0

  /** size of the file, once it has been written */
  fileBytes = 0

  constructor(path: string, isCompressed: boolean) {
    this.#path = path
    this.#isCompressed = isCompressed
  }

  /** Writes a line that stays, with the device, the output and the keys; the level is drawn below it. */
  #announce({ name }: { name: string }): void {
    const text =
      this.#path === '-'
        ? `recording from ${name} into the pipe: Enter ends it` // Ctrl-C reaches the reader of the pipe as well
        : `recording from ${name} into ${this.#path}: Enter or Ctrl-C ends it, the space bar pauses`
    this.#status.print(wrapped(printable(text), 0, process.stderr))
  }

  /** Shows the pause until the next measurement, which comes after it. */
  showPause(isPaused: boolean): void {
    this.#status.draw(isPaused ? 'paused; space goes on, Enter ends it' : 'recording')
  }

  /** Resolves at the first audio, so that no file is written where none comes. */
  async open(values: SourceValues): Promise<Pick<AudioInput, 'source' | 'format' | 'written'>> {
    const format = inputFormat(values)
    if (values.from !== undefined) {
      if (values.device !== undefined) throw new UsageError('--from and --device are two sources: choose one')
      const input = await openInput(values.from, { raw: format, isConverted: true })
      this.#source = input.source
      return input
    }
    const source = portAudio(format ?? pcmFormat(), {
      ...deviceOf(values.device),
      ...backendOf(values.backend),
    })
    this.#source = source
    this.#microphone = source
    source.on('error', () => {}) // `ready` and the pipeline report it
    source.on('gap', ({ at, frames, cause }) => {
      this.#status.clear()
      const much = frames === 0 ? 'audio is' : `${frames} frames are`
      process.stderr.write(`wavespool record: ${much} missing in front of frame ${at} (${cause})\n`)
    })
    this.#status.draw('waiting for the microphone; Ctrl-C ends it')
    this.#announce((await source.ready).device)
    return { source, format: source.format, written: source.format }
  }

  /** The last stage: measures the audio that goes into the file. */
  measure(format: PcmFormat): Readable {
    this.#format = format
    const stage = meter(format, { every: { milliseconds: METER_MILLISECONDS } })
    stage.on('level', (level: Level) => this.#note(level))
    return stage
  }

  #note({ end, peak, clipped }: Level): void {
    this.#frames = end
    this.#peak = Math.max(this.#peak, peak)
    this.#clipped += clipped
    if (!this.#status.isVisible) return
    const reading = { seconds: this.seconds, bytes: this.#bytes, peak, isClipped: clipped > 0 }
    this.#status.draw(levelLine(reading, widthOf(process.stderr), paintFor(process.stderr)))
  }

  /** length of the audio in the file */
  get seconds(): number {
    return this.#frames / this.#format.sampleRate
  }

  get #bytes(): number {
    return this.#frames * this.#format.bytesPerFrame
  }

  stop(): void {
    const isHeard = this.#microphone === undefined || this.#microphone.startedAt !== undefined
    if (isHeard) this.#source?.stop()
    else this.#source?.destroy()
  }

  /** Releases all that keeps the process alive. */
  close(): void {
    this.#source?.destroy()
    this.#status.clear()
  }

  report(isJson: boolean | undefined): void {
    const { sampleRate, channels, encoding } = this.#format
    if (isJson) {
      const peak = Number.isFinite(this.#peak) ? this.#peak : null // JSON has no infinity
      console.log(
        printable(
          JSON.stringify({
            path: this.#path,
            format: { sampleRate, channels, encoding },
            frames: this.#frames,
            seconds: this.seconds,
            peak,
            clipped: this.#clipped,
            gaps: this.#microphone?.gaps ?? [],
          }),
        ),
      )
    }
    if (this.#microphone && this.#frames > 0 && this.#peak === Number.NEGATIVE_INFINITY) {
      process.stderr.write(
        'wavespool record: the recording is silent; wavespool doctor looks for the reason\n',
      )
    }
    if (!this.#status.isVisible) return
    const facts = [
      exactLength(this.seconds),
      byteSize(this.#isCompressed ? this.fileBytes : this.#bytes),
      `peak ${decibels(this.#peak)}`,
    ]
    if (this.#clipped > 0) facts.push(`${this.#clipped} samples clipped`)
    process.stderr.write(`${this.#path === '-' ? 'stdout' : printable(this.#path)}: ${facts.join(', ')}\n`)
  }
}
