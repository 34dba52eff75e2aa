import type { Device } from './capture/backend.ts'
import { CaptureProcess } from './capture/captureProcess.ts'

export type { Device }

/**
 * The input devices that PortAudio finds: none is an empty list.
 *
 * @returns a promise, rejected with a WavespoolError: `ERR_WAVESPOOL_NO_BACKEND` when naudiodon cannot be loaded
 * (it says what to install), `ERR_WAVESPOOL_CAPTURE` when the process that looks for them died
 */
export function listDevices(): Promise<Device[]> {
  return new Promise((resolve, reject) => {
    let devices: Device[] = []
    new CaptureProcess(
      { ask: 'devices' },
      {
        message(message) {
          if (message.type === 'devices') devices = message.body.devices
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
