import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Latest } from '../latest.ts'
import type { Source } from '../sources/source.ts'
import { Annotations } from './annotations.ts'
import { event } from './eventStream.ts'
import { EventSubscribers } from './eventSubscribers.ts'
import { Folder } from './folder.ts'
import { HttpError } from './httpError.ts'
import { LiveRecording } from './liveRecording.ts'
import { freeName, recordingName } from './names.ts'
import { openMicrophone } from './openMicrophone.ts'
import { PageMicrophone } from './pageMicrophone.ts'
import type { PageRecording } from './pageRecording.ts'
import type { Peaks } from './peaks.ts'
import type { CheckedOptions } from './recordingPageOptions.ts'

/** as many as a page has use for */
const MOST_LISTED = 500
/** Peaks come one by one, and are told so many at a time: five times a second. */
const PEAKS_AT_ONCE = 4

/** The recordings of a folder, finished and in progress, and the pages that receive their events. */
export class Recordings {
  readonly #folder: Folder
  readonly #options: CheckedOptions
  readonly #subscribers: EventSubscribers
  readonly #live = new Map<string, LiveRecording>()
  /** of browsers that record, each with the key that its page has */
  readonly #microphones = new Map<string, { key: string; source: PageMicrophone }>()
  /** recordings whose microphone is being opened */
  #beginning = 0
  /** of recordings that are shown or marked */
  readonly #annotations = new Latest<string, Promise<Annotations>>(MOST_LISTED)
  /** pending work of recordings that have ended */
  readonly #unsettled = new Set<Promise<void>>()
  #isClosed = false

  constructor(folder: string, options: CheckedOptions) {
    this.#folder = new Folder(folder)
    this.#options = options
    this.#subscribers = new EventSubscribers(options.limits.pages)
  }

  /** The list of recordings, the newest first. */
  async list() {
    const live = Array.from(this.#live.values(), ({ name, format, frames, began }) => ({
      name,
      isLive: true,
      seconds: frames / format.sampleRate,
      modified: began,
    }))
    const stored = (await this.#folder.list())
      .filter(({ name }) => !this.#live.has(name))
      .map(({ name, format, frames, modified }) => ({
        name,
        isLive: false,
        seconds: format && frames / format.sampleRate,
        modified,
      }))
    const microphones = this.#options.microphone === false ? ['browser'] : ['browser', 'computer']
    return { microphones, recordings: [...live.reverse(), ...stored].slice(0, MOST_LISTED) }
  }

  /** @returns a promise, rejected with a {@link HttpError} where there is none of this name */
  async find(name: string): Promise<PageRecording> {
    const live = this.#live.get(recordingName(name))
    if (live !== undefined) return live
    const stored = await this.#folder.find(name)
    const annotations = await this.#annotationsOf(name)
    const { format, frames } = stored
    return {
      name,
      isLive: false,
      format,
      frames,
      annotations,
      samples: (start, end) => this.#folder.samples(stored, start, end),
      peaks: async () => format && this.#folder.peaksOf(stored),
      respond: (request, { size = stored.size, disposition }) => {
        if (size !== stored.size) throw new HttpError(404, 'the recording has another size')
        return this.#folder.respond(stored, request, disposition)
      },
    }
  }

  /** Annotations are read once, and kept while they are in use. */
  #annotationsOf(name: string): Promise<Annotations> {
    return this.#annotations.get(name, () => this.#folder.pathOf(name).then((path) => Annotations.of(path)))
  }

  /** Begins a recording; resolves when audio comes, or when a browser may send it. */
  async begin({ microphone, name: wanted, sampleRate }: Record<string, unknown>) {
    const { limits, log } = this.#options
    if (this.#isClosed) throw new HttpError(503, 'the server is being stopped')
    if (this.#live.size + this.#beginning >= limits.live) {
      throw new HttpError(409, `${limits.live} recordings go on, which is the most: end one of them first`)
    }
    this.#beginning++
    try {
      const existing = await this.#folder.list()
      if (existing.length >= limits.files) {
        throw new HttpError(507, `the folder holds ${existing.length} recordings, which is the most`)
      }
      const folder = await this.#folder.open()
      freeName(wanted, []) // an invalid name is refused before anything is opened
      const source = await openMicrophone(this.#options, microphone, sampleRate)
      const name = this.#recordInto(folder, wanted, existing, source)
      log(`recording ${name} from the ${microphone}`)
      if (!(source instanceof PageMicrophone)) return { name }
      const key = randomUUID()
      this.#microphones.set(name, { key, source })
      return { name, key }
    } finally {
      this.#beginning--
    }
  }

  /** Gives it a name. @throws {HttpError} where that cannot be, and then lets go of the microphone */
  #recordInto(
    folder: string,
    wanted: unknown,
    existing: readonly { name: string }[],
    source: Source,
  ): string {
    try {
      if (this.#isClosed) throw new HttpError(503, 'the server is being stopped')
      const name = freeName(wanted, [...existing.map(({ name }) => name), ...this.#live.keys()])
      const path = join(folder, name)
      const annotations = new Annotations(path)
      this.#annotations.set(name, Promise.resolve(annotations))
      this.#record(name, path, source, annotations)
      return name
    } catch (error) {
      source.destroy()
      throw error
    }
  }

  #record(name: string, path: string, source: Source, annotations: Annotations): LiveRecording {
    const { format, log } = this.#options
    const recording = new LiveRecording(
      { path, source, format: source instanceof PageMicrophone ? source.format : format, annotations },
      this.#options,
      {
        heard: () => {
          const { frames, heard } = recording
          const { length } = heard
          if (length % PEAKS_AT_ONCE === 0)
            this.#subscribers.publish(soundOf(frames, heard, length - PEAKS_AT_ONCE, length), name)
        },
        passage: (passage) => this.#subscribers.publish(event('passage', passage), name),
        trouble: (message) => log(`${name}: ${message}`),
      },
    )
    this.#live.set(name, recording)
    this.#subscribers.publish(event('recordings', {}))
    const settled = recording.recorded.then((failure) => {
      const { frames, format, heard } = recording
      log(
        `${name}: ${(frames / format.sampleRate).toFixed(1)} s recorded${failure ? `, then: ${failure.message}` : ''}`,
      )
      this.#live.delete(name)
      this.#microphones.delete(name)
      this.#subscribers.publish(soundOf(frames, heard, publishedOf(heard), heard.length), name)
      this.#subscribers.publish(event('ended', { frames, problem: failure?.message }), name)
      this.#subscribers.publish(event('recordings', {}))
      return recording.settled
    })
    this.#unsettled.add(settled)
    void settled.finally(() => this.#unsettled.delete(settled))
    return recording
  }

  async stop(name: string): Promise<void> {
    const recording = this.#live.get(name)
    if (recording === undefined) throw new HttpError(409, 'this is not being recorded')
    recording.stop()
    await recording.recorded
  }

  async mark(name: string, body: Record<string, unknown>): Promise<unknown> {
    const { frames, annotations } = await this.find(name)
    if (!(Number(body.at) <= frames)) throw new HttpError(400, 'the mark lies behind the end')
    const mark = annotations.mark(body)
    this.#subscribers.publish(event('mark', mark), name)
    return mark
  }

  /** @throws {HttpError} where no browser records it, or for a wrong key */
  microphoneOf(name: string, key: string): PageMicrophone {
    const microphone = this.#microphones.get(name)
    if (microphone?.key !== key) throw new HttpError(403, 'another page records this, or it has ended')
    return microphone.source
  }

  /**
   * The events, and all annotations of one recording, as they come.
   *
   * @param known how many peaks of it the page has
   */
  async events(name: string | undefined, known: number): Promise<Response> {
    const found = name === undefined ? undefined : await this.find(name)
    const peaks = await found?.peaks()
    const page = this.#subscribers.admit(name)
    if (name !== undefined && found !== undefined) {
      const { isLive, format, frames, annotations } = found
      const { marks, passages } = annotations
      const { sampleRate, channels } = format ?? {}
      page.send(
        event('recording', {
          name,
          isLive,
          frames,
          sampleRate,
          channels,
          framesPerPeak: peaks?.frames,
          marks,
          passages,
        }),
      )
      if (peaks) {
        // The next event of a recording in progress begins where the last one ended.
        const end = this.#live.has(name) ? publishedOf(peaks) : peaks.length
        page.send(soundOf(frames, peaks, known, end))
      }
    }
    return page.response
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const recording of this.#live.values()) recording.stop()
    await Promise.all(this.#unsettled)
    this.#subscribers.close()
  }
}

/** How many peaks of a recording in progress its events have told. */
function publishedOf({ length }: Peaks): number {
  return length - (length % PEAKS_AT_ONCE)
}

function soundOf(frames: number, peaks: Peaks, start: number, end: number): Uint8Array {
  return event('sound', { frames, start, peaks: peaks.slice(start, end) }, end)
}
