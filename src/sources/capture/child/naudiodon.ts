import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Encoding, encodings } from '../../../format/encoding.ts'
import type { Backend, Capture, Device, OpenRequest, Read } from '../backend.ts'

/** The exports of `naudiodon.node` that are used here. */
interface Addon {
  create(options: { inOptions: Record<string, unknown> }): AudioIO
  getDevices(): AddonDevice[]
  getHostAPIs(): { defaultHostAPI: number; HostAPIs: { id: number; name: string; defaultInput: number }[] }
}

interface AudioIO {
  start(): void
  /** blocks a thread of libuv's pool until `bytes` are there or the stream was quit */
  read(bytes: number): Promise<{ buf: Buffer; finished: boolean }>
  quit(how: 'WAIT' | 'ABORT'): Promise<void>
}

interface AddonDevice {
  id: number
  name: string
  hostAPIName: string
  maxInputChannels: number
  defaultSampleRate: number
}

/** The addon's `sampleFormat`. Its 8 bits are signed, which is no WAV encoding. */
const sampleFormats: Partial<Record<Encoding, number>> = { s16le: 16, s24le: 24, s32le: 32, f32le: 1 }

/** Callbacks that may wait to be read; the default of 2 loses audio as soon as a read is late. */
const MAX_QUEUE = 1000

/**
 * The addon inside the package naudiodon. The package's own index is never loaded: it installs a crash handler that
 * writes into the working directory, and its streams throw the last read away.
 *
 * @throws {Error} with code `MODULE_NOT_FOUND` when the package is not installed, or the loader's own error
 */
export function loadNaudiodon(): Backend {
  const require = createRequire(import.meta.url)
  const packageDirectory = dirname(require.resolve('naudiodon/package.json'))
  const file = join(packageDirectory, 'build', 'Release', 'naudiodon.node')
  if (!existsSync(file)) throw new Error(`naudiodon is installed, but was not compiled: there is no ${file}`)
  return new Naudiodon(require(file) as Addon)
}

class Naudiodon implements Backend {
  readonly name = 'naudiodon'
  readonly #addon: Addon

  constructor(addon: Addon) {
    this.#addon = addon
    // getDevices() initializes PortAudio, which enumerates every device (50 ms and more), and terminates it again.
    // A stream that cannot be made leaves PortAudio initialized: from here on, listing costs next to nothing.
    try {
      addon.create({ inOptions: { sampleFormat: NO_SAMPLE_FORMAT } })
    } catch {
      // the expected error
    }
  }

  devices(): Device[] {
    const { defaultHostAPI, HostAPIs } = this.#addon.getHostAPIs()
    const defaultId = HostAPIs[defaultHostAPI]?.defaultInput
    return this.#addon
      .getDevices()
      .filter(({ maxInputChannels }) => maxInputChannels > 0)
      .map(({ id, name, hostAPIName, maxInputChannels, defaultSampleRate }) => ({
        id,
        name,
        hostApi: hostAPIName,
        inputChannels: maxInputChannels,
        defaultSampleRate,
        isDefault: id === defaultId,
      }))
  }

  async opens(request: OpenRequest): Promise<boolean> {
    try {
      await this.#create(request).quit('ABORT')
      return true
    } catch {
      return false
    }
  }

  open(request: OpenRequest): Capture {
    const { channels, encoding, framesPerRead } = request
    const stream = this.#create(request)
    stream.start()
    return new NaudiodonCapture(stream, framesPerRead * encodings[encoding].bytesPerSample * channels)
  }

  #create({ device, sampleRate, channels, encoding }: OpenRequest): AudioIO {
    return this.#addon.create({
      inOptions: {
        ...(device === undefined ? {} : { deviceId: device }),
        sampleRate,
        channelCount: channels,
        sampleFormat: sampleFormats[encoding]!,
        maxQueue: MAX_QUEUE,
        // Else a read in which an overflow was flagged is thrown away whole. The flag is printed instead.
        closeOnError: false,
      },
    })
  }
}

const NO_SAMPLE_FORMAT = 7

class NaudiodonCapture implements Capture {
  readonly latency = undefined
  readonly #stream: AudioIO
  readonly #bytesPerRead: number
  #quit: Promise<void> | undefined

  constructor(stream: AudioIO, bytesPerRead: number) {
    this.#stream = stream
    this.#bytesPerRead = bytesPerRead
  }

  async read(): Promise<Read | undefined> {
    const result = await this.#stream.read(this.#bytesPerRead)
    if (result.buf.length > 0) return { bytes: result.buf, overflowed: false }
    // "Finished" says that the queue ran empty; until the stream is closed the device may still add to it.
    await this.#quit
    const { buf } = await this.#stream.read(this.#bytesPerRead)
    return buf.length > 0 ? { bytes: buf, overflowed: false } : undefined
  }

  stop(): void {
    this.#quit ??= this.#stream.quit('WAIT')
  }
}
