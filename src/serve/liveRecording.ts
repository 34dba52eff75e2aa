import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PcmFormat } from '../format/pcmFormat.ts'
import type { RequestLike } from '../http/response.ts'
import { VirtualFile } from '../sinks/virtualFile.ts'
import type { Source } from '../sources/source.ts'
import { limit } from '../streams/limit.ts'
import type { PauseRule, TimeRule } from '../streams/segment/rule.ts'
import { segment } from '../streams/segment.ts'
import { wavHeader } from '../streams/wavHeader.ts'
import type { Annotations, Passage } from './annotations.ts'
import { HttpError } from './httpError.ts'
import type { PageRecording, RespondOptions } from './pageRecording.ts'
import { Peaks } from './peaks.ts'
import type { CheckedOptions } from './recordingPageOptions.ts'

/** The events of a recording in progress. */
export interface LiveEvents {
  /** one more peak is there */
  heard(): void
  passage(passage: Passage): void
  /** something failed that does not end the recording */
  trouble(message: string): void
}

/** A recording that goes on: from a source into a file of the folder, measured, and cut at pauses of speech. */
export class LiveRecording implements PageRecording {
  readonly isLive = true
  readonly file: VirtualFile
  readonly format: PcmFormat
  readonly heard: Peaks
  readonly annotations: Annotations
  readonly began = Date.now()
  /** Resolves when it has ended, with the reason where it did not end by itself. */
  readonly recorded: Promise<Error | undefined>
  /** Resolves when nothing more is found out about it either. */
  readonly settled: Promise<void>
  readonly #source: Source

  constructor(
    {
      path,
      source,
      format,
      annotations,
    }: { path: string; source: Source; format: PcmFormat; annotations: Annotations },
    { limits, passages, transcribe }: Pick<CheckedOptions, 'limits' | 'passages' | 'transcribe'>,
    events: LiveEvents,
  ) {
    this.format = format
    this.annotations = annotations
    this.#source = source
    this.heard = new Peaks(format)
    this.file = new VirtualFile({ storage: { path, mode: 0o600 } })
    const measured = this.heard.meter(format)
    measured.on('level', () => events.heard())
    this.recorded = pipeline(
      source,
      limit(format, { bytes: limits.bytes }),
      measured,
      wavHeader(format, { rf64: limits.bytes > 2 ** 32 - 100 }),
      this.file,
    )
      .then(
        () => undefined,
        (error: Error) => error,
      )
      .then(async (failure) => {
        const { file } = this
        // a pipeline that fails does not wait for pending writes
        if (!file.closed) await new Promise((resolve) => file.once('close', resolve))
        // no audio came, where the user denied the microphone for example
        if (this.frames === 0) await rm(path, { force: true }).catch(() => {})
        return failure
      })
    const heard =
      passages === false
        ? Promise.resolve()
        : this.#listen(passages, transcribe, events).catch((error: Error) => events.trouble(error.message))
    this.settled = Promise.all([this.recorded, heard]).then(() => annotations.saved())
  }

  get name(): string {
    return this.file.name
  }

  /** Those that can be read. */
  get frames(): number {
    return Math.round((this.file.duration ?? 0) * this.format.sampleRate)
  }

  stop(): void {
    this.#source.stop()
  }

  async samples(start: number, end: number): Promise<Readable> {
    const { bytesPerFrame } = this.format
    return this.file.createReadStream({
      header: false,
      start: start * bytesPerFrame,
      end: end * bytesPerFrame - 1,
    })
  }

  async peaks(): Promise<Peaks> {
    return this.heard
  }

  async respond(request: RequestLike, { size, disposition }: RespondOptions): Promise<Response> {
    try {
      return await this.file.toResponse(request, { disposition, ...(size !== undefined && { size }) })
    } catch (error) {
      throw new HttpError(404, (error as Error).message)
    }
  }

  /** Follows the recording at its own pace: a slow transcription delays nothing. */
  async #listen(
    rule: TimeRule | PauseRule,
    transcribe: CheckedOptions['transcribe'],
    events: LiveEvents,
  ): Promise<void> {
    const { format, name } = this
    const note = (passage: Passage) => {
      this.annotations.addPassage(passage)
      events.passage(passage)
    }
    const follower = this.file.createReadStream({ follow: true, header: false })
    await pipeline(follower, segment(format, { ...rule, name }), async (segments) => {
      for await (const { file, start, end } of segments) {
        note({ start, end })
        try {
          const text = await transcribe?.({ file, start, end, recording: name })
          if (text) note({ start, end, text })
        } catch (error) {
          events.trouble(`a passage was not transcribed: ${(error as Error).message}`)
        }
        await file.dispose()
      }
    })
  }
}
