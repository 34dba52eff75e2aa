import { describe, expect, test } from 'vitest'
import { backendNames, type Device } from '../../src/sources/capture/backend.ts'
import { chooseDevice } from '../../src/sources/capture/devices.ts'
import { deviceHint, noBackend, openingFault } from '../../src/sources/capture/faults.ts'

const device = (id: number, name: string, isDefault = false): Device => ({
  id,
  name,
  hostApi: 'ALSA',
  inputChannels: 2,
  defaultSampleRate: 44_100,
  isDefault,
})

const devices = [
  device(1, 'USB Microphone'),
  device(4, 'USB Microphone: Monitor'),
  device(7, 'Built-in', true),
]

describe('which device is meant', () => {
  test.each([
    [undefined, 7],
    [4, 4],
    ['Built-in', 7],
    ['built', 7],
    ['monitor', 4],
    // the whole name of one is a part of another's
    ['usb microphone', 1],
  ])('%s', (wanted, id) => {
    expect(chooseDevice(devices, wanted).id).toBe(id)
  })

  test.each([
    [99, /no input device with the id 99.*1 "USB Microphone" \(ALSA\).*7 "Built-in" \(ALSA, default\)/],
    ['nothing', /no input device has "nothing" in its name.*USB Microphone.*Built-in/],
    ['usb', /"usb" is ambiguous.*1 "USB Microphone".*4 "USB Microphone: Monitor"/],
  ])('%s is refused, with the choices', (wanted, message) => {
    expect(() => chooseDevice(devices, wanted)).toThrow(
      expect.objectContaining({ code: 'ERR_WAVESPOOL_NO_DEVICE', message: expect.stringMatching(message) }),
    )
  })

  test('none at all, and none that is the default', () => {
    expect(() => chooseDevice([], undefined)).toThrow(/no input device on this machine/)
    expect(() => chooseDevice(devices.slice(0, 2), undefined)).toThrow(
      /none .* is the default one; choose one/,
    )
  })
})

describe('what an error of PortAudio means', () => {
  const asked = { sampleRate: 11_111, channels: 3, encoding: 's24le' }

  test.each([
    ['Format not supported: Invalid sample rate', /does not open at 11111 Hz; open it at 44100 Hz.*convert/],
    ['Invalid number of channels', /does not record 3 channels \(it has 2\).*convert/],
    ['Channel count exceeds maximum number of channels for device', /does not record 3 channels.*convert/],
    ['Format not supported: Device unavailable', /another program may be using it/],
    ['Sample format not supported', /does not record s24le.*convert/],
    ['Could not open stream: Device unavailable', /another program may be using it/],
    ['Insufficient memory', /could not be opened/],
  ])('%s', (words, message) => {
    const fault = openingFault(new Error(words), devices[0], asked)
    expect(fault.code).toBe('ERR_WAVESPOOL_DEVICE')
    expect(fault.message).toMatch(message)
    expect(fault.message).toContain(`PortAudio: ${words.split(': ').at(-1)}`)
    expect(fault.cause).toBeInstanceOf(Error)
  })

  test('a device that is busy or forbidden comes with where to look', () => {
    expect(openingFault(new Error('Device unavailable'), devices[0], asked).message).toContain(deviceHint())
    expect(deviceHint('darwin')).toMatch(/Privacy & Security > Microphone/)
    expect(deviceHint('win32')).toMatch(/desktop apps/)
    expect(deviceHint('linux')).toMatch(/group "audio".*pactl info/)
  })
})

describe('no backend', () => {
  test.each(['linux', 'darwin', 'win32'] as const)('says on %s what to install for each', (platform) => {
    const { code, message } = noBackend('naudiodon: not found; koffi: not found', undefined, platform)
    expect(code).toBe('ERR_WAVESPOOL_NO_BACKEND')
    expect(message).toMatch(/npm install naudiodon.*without a compiler.*npm install koffi/)
    expect(message).toContain('not found')
  })

  test.each(backendNames)('says for %s alone what to install', (name) => {
    expect(noBackend('not found', name, 'linux').message).toContain(`npm install ${name}`)
  })
})
