import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { encodings } from '../../../format/encoding.ts'
import type { Backend, Capture, Device, OpenRequest, Read } from '../backend.ts'
import { functions, PA_CLIP_OFF, PA_INPUT_OVERFLOWED, sampleFormats, structs } from './portaudioHeader.ts'

/** The part in use of the package koffi, which calls functions of shared libraries without a compiler. */
interface Koffi {
  load(path: string): { func(declaration: string): Native }
  struct(name: string, fields: Record<string, string>): unknown
  decode(pointer: unknown, type: string): Record<string, number | string>
}

type Native = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void }

/** Seconds that the device buffers for us: reads are short, but this process may be late. */
const BUFFERED_SECONDS = 0.2

/**
 * PortAudio's blocking reads through the package koffi, from the system's PortAudio or the one that comes with
 * naudiodon: for machines on which naudiodon cannot be compiled, or has no binary.
 *
 * @throws {Error} with the loader's words when koffi is not installed, or no PortAudio is found
 */
export function loadKoffi(): Backend {
  const require = createRequire(import.meta.url)
  const koffi = require('koffi') as Koffi
  const tried: string[] = []
  for (const path of [...(libraries[process.platform] ?? ['libportaudio.so.2']), ...bundled(require)]) {
    try {
      return new PortAudioLibrary(koffi, path)
    } catch (error) {
      tried.push(`${path}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new Error(`no PortAudio library (${tried[0]})`)
}

/**
 * The system's PortAudio. Windows and macOS look for a bare name in the working directory as well, where another user may
 * have put a file of that name: there only whole paths are tried, and Windows has none but the bundled one.
 */
const libraries: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: [
    '/opt/homebrew/lib/libportaudio.2.dylib',
    '/usr/local/lib/libportaudio.2.dylib',
    '/opt/local/lib/libportaudio.2.dylib',
  ],
  win32: [],
}

function bundled(require: NodeJS.Require): string[] {
  try {
    const directory = dirname(require.resolve('naudiodon/package.json'))
    // where its install script puts it, and where it lies if that was not run
    return [join(directory, 'build', 'Release'), join(directory, 'portaudio', 'bin')].flatMap((folder) =>
      ['libportaudio.so.2', 'libportaudio.dylib', 'portaudio_x64.dll'].map((name) => join(folder, name)),
    )
  } catch {
    return []
  }
}

class PortAudioLibrary implements Backend {
  readonly name = 'koffi'
  readonly #koffi: Koffi
  readonly #call: (name: keyof typeof functions) => Native
  readonly #functions = new Map<string, Native>()

  constructor(koffi: Koffi, path: string) {
    this.#koffi = koffi
    const library = koffi.load(path)
    for (const [name, fields] of Object.entries(structs)) koffi.struct(name, fields)
    this.#call = (name) => {
      const known = this.#functions.get(name) ?? library.func(functions[name])
      this.#functions.set(name, known)
      return known
    }
    this.#check(this.#call('Pa_Initialize')())
  }

  devices(): Device[] {
    const info = (name: keyof typeof functions, index: number, type: string) => {
      const pointer = this.#call(name)(index)
      return pointer === null ? undefined : this.#koffi.decode(pointer, type)
    }
    const defaultId = this.#call('Pa_GetDefaultInputDevice')()
    const devices: Device[] = []
    for (let id = 0; id < Number(this.#call('Pa_GetDeviceCount')()); id++) {
      const device = info('Pa_GetDeviceInfo', id, 'PaDeviceInfo')
      if (device === undefined || Number(device.maxInputChannels) < 1) continue
      const hostApi = info('Pa_GetHostApiInfo', Number(device.hostApi), 'PaHostApiInfo')
      devices.push({
        id,
        name: String(device.name),
        hostApi: String(hostApi?.name ?? 'unknown'),
        inputChannels: Number(device.maxInputChannels),
        defaultSampleRate: Number(device.defaultSampleRate),
        isDefault: id === defaultId,
      })
    }
    return devices
  }

  async opens(request: OpenRequest): Promise<boolean> {
    return this.#call('Pa_IsFormatSupported')(this.#parameters(request), null, request.sampleRate) === 0
  }

  #parameters({ device, channels, encoding }: OpenRequest): Record<string, unknown> {
    return {
      device: device ?? this.#call('Pa_GetDefaultInputDevice')(),
      channelCount: channels,
      sampleFormat: sampleFormats[encoding]!,
      suggestedLatency: BUFFERED_SECONDS,
      hostApiSpecificStreamInfo: null,
    }
  }

  open(request: OpenRequest): Capture {
    const { sampleRate, channels, encoding, framesPerRead } = request
    const parameters = this.#parameters(request)
    const out: unknown[] = [null]
    // framesPerBuffer 0: the device chooses. No callback: reads block.
    this.#check(this.#call('Pa_OpenStream')(out, parameters, null, sampleRate, 0, PA_CLIP_OFF, null, null))
    const stream = out[0]
    this.#check(this.#call('Pa_StartStream')(stream))
    const { inputLatency } = this.#koffi.decode(this.#call('Pa_GetStreamInfo')(stream), 'PaStreamInfo')
    const bytesPerFrame = encodings[encoding].bytesPerSample * channels
    return new BlockingCapture(this.#call, stream, Number(inputLatency), framesPerRead, bytesPerFrame)
  }

  #check(code: unknown): void {
    if (Number(code) < 0) throw new Error(errorText(this.#call, Number(code)))
  }
}

class BlockingCapture implements Capture {
  readonly latency: number
  readonly #call: (name: keyof typeof functions) => Native
  readonly #stream: unknown
  readonly #framesPerRead: number
  readonly #bytesPerFrame: number
  #isStopped = false
  #isClosed = false
  /** frames that the device had when it was stopped and that are not read yet */
  #tail: number | undefined

  constructor(
    call: (name: keyof typeof functions) => Native,
    stream: unknown,
    latency: number,
    framesPerRead: number,
    bytesPerFrame: number,
  ) {
    this.#call = call
    this.#stream = stream
    this.latency = latency
    this.#framesPerRead = framesPerRead
    this.#bytesPerFrame = bytesPerFrame
  }

  async read(): Promise<Read | undefined> {
    let frames = this.#framesPerRead
    if (this.#isStopped) {
      this.#tail ??= Math.max(0, Number(this.#call('Pa_GetStreamReadAvailable')(this.#stream)))
      frames = Math.min(frames, this.#tail)
      this.#tail -= frames
      if (frames === 0) {
        this.#close()
        return undefined
      }
    }
    const bytes = Buffer.alloc(frames * this.#bytesPerFrame)
    const code = await new Promise<number>((resolve, reject) => {
      this.#call('Pa_ReadStream').async(
        this.#stream,
        bytes,
        frames,
        (error: Error | null, result: number) => {
          if (error) reject(error)
          else resolve(result)
        },
      )
    })
    if (code < 0 && code !== PA_INPUT_OVERFLOWED) {
      this.#close()
      throw new Error(errorText(this.#call, code))
    }
    return { bytes, overflowed: code === PA_INPUT_OVERFLOWED }
  }

  stop(): void {
    this.#isStopped = true
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#call('Pa_AbortStream')(this.#stream)
    this.#call('Pa_CloseStream')(this.#stream)
  }
}

function errorText(call: (name: keyof typeof functions) => Native, code: number): string {
  return String(call('Pa_GetErrorText')(code))
}
