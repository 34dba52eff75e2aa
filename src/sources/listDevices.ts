import { ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import type { BackendName, Device } from './capture/backend.ts'
import { CaptureProcess } from './capture/host/captureProcess.ts'
import { checkBackend } from './portAudioOptions.ts'

/** An input device, and the backend that found it: ids are good for that backend only. */
export interface ListedDevice extends Device {
  /** the library that found it */
  backend: BackendName
}

/** The options of `listDevices()`. */
export interface ListDevicesOptions {
  /** as for `portAudio()` (default: the first that loads) */
  backend?: BackendName
  /**
   * also try at which of the usual rates each device opens (mono s16le), in `sampleRates`; this takes up to 50 ms for
   * every device and rate (default false)
   */
  rates?: boolean
}

/**
 * The input devices that PortAudio finds: none is an empty list.
 *
 * @throws {ArgumentTypeError} for wrong options
 * @returns a promise, rejected with a WavespoolError: `ERR_WAVESPOOL_NO_BACKEND` when naudiodon cannot be loaded
 * (the message names the package to install), `ERR_WAVESPOOL_CAPTURE` when the process that lists them died
 */
export function listDevices(options: ListDevicesOptions = {}): Promise<ListedDevice[]> {
  checkOptions(options, ['backend', 'rates'], 'listDevices()')
  const { backend, rates = false } = options
  checkBackend(backend)
  if (typeof rates !== 'boolean')
    throw new ArgumentTypeError(`rates must be true or false, got ${show(rates)}`)
  return new Promise((resolve, reject) => {
    let devices: ListedDevice[] = []
    new CaptureProcess(
      { ask: 'devices', backend, rates },
      {
        message(message) {
          if (message.type === 'devices') {
            const { backend, devices: found } = message.body
            devices = found.map((device) => ({ ...device, backend }))
          }
          return true
        },
        finished(error) {
          if (error) reject(error)
          else resolve(devices)
        },
      },
    )
  })
}
