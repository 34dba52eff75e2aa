import { WavespoolError } from '../../../errors.ts'
import type { Device } from '../backend.ts'

/**
 * The one device that is meant: by its id, its exact name, or a part of its name that no other device's name has
 * (upper and lower case are the same). `undefined` means the default device.
 *
 * @throws {WavespoolError} `ERR_WAVESPOOL_NO_DEVICE` when there is none or more than one; it lists those that exist
 */
export function chooseDevice(devices: readonly Device[], wanted: number | string | undefined): Device {
  if (devices.length === 0) {
    throw new WavespoolError('ERR_WAVESPOOL_NO_DEVICE', 'PortAudio finds no input device on this machine')
  }
  if (wanted === undefined) {
    const device = devices.find(({ isDefault }) => isDefault)
    if (device) return device
    throw new WavespoolError(
      'ERR_WAVESPOOL_NO_DEVICE',
      `none of the input devices is the default one; choose one with { device }: ${list(devices)}`,
    )
  }
  if (typeof wanted === 'number') {
    const device = devices.find(({ id }) => id === wanted)
    if (device) return device
    throw new WavespoolError(
      'ERR_WAVESPOOL_NO_DEVICE',
      `there is no input device with the id ${wanted}; ${theseAre(devices)}`,
    )
  }
  const name = wanted.toLowerCase()
  const exact = devices.filter((device) => device.name.toLowerCase() === name)
  const candidates =
    exact.length > 0 ? exact : devices.filter((device) => device.name.toLowerCase().includes(name))
  const [device, other] = candidates
  if (device === undefined) {
    throw new WavespoolError(
      'ERR_WAVESPOOL_NO_DEVICE',
      `no input device has ${JSON.stringify(wanted)} in its name; ${theseAre(devices)}`,
    )
  }
  if (other !== undefined) {
    throw new WavespoolError(
      'ERR_WAVESPOOL_NO_DEVICE',
      `${JSON.stringify(wanted)} is ambiguous: it is in the names of ${list(candidates)}; use more of the name, or the id`,
    )
  }
  return device
}

/** `0 "USB Microphone" (ALSA, default), 2 "hw:1" (ALSA)` */
function list(devices: readonly Device[]): string {
  return devices
    .map(
      ({ id, name, hostApi, isDefault }) =>
        `${id} ${JSON.stringify(name)} (${hostApi}${isDefault ? ', default' : ''})`,
    )
    .join(', ')
}

/** PortAudio opens the devices that it lists: on ALSA, it does not list hardware that another program has open. */
function theseAre(devices: readonly Device[]): string {
  const those = `there ${devices.length === 1 ? 'is only' : 'are'} ${list(devices)}`
  return `${those}. A device that another program has opened may be missing from this list`
}
