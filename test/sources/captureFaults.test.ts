import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findPackageManager } from '../../src/packageManager.ts'
import { backendNames, type Device } from '../../src/sources/capture/backend.ts'
import { chooseDevice } from '../../src/sources/capture/child/devices.ts'
import { deviceHint, noBackend, openingFault } from '../../src/sources/capture/child/faults.ts'
import type { Lack } from '../../src/sources/capture/child/installing.ts'

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

describe('the device of an option', () => {
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

  test('an error says that there is no device, or no default one', () => {
    expect(() => chooseDevice([], undefined)).toThrow(/no input device on this machine/)
    expect(() => chooseDevice(devices.slice(0, 2), undefined)).toThrow(
      /none .* is the default one; choose one/,
    )
  })
})

describe('an error of PortAudio', () => {
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

  test('names the places to look at for a device that is busy or forbidden', () => {
    expect(openingFault(new Error('Device unavailable'), devices[0], asked).message).toContain(deviceHint())
    expect(deviceHint('darwin')).toMatch(/Privacy & Security > Microphone/)
    expect(deviceHint('win32')).toMatch(/desktop apps/)
    expect(deviceHint('linux')).toMatch(/group "audio".*pactl info/)
  })
})

describe('no backend', () => {
  const missing = (lack: Lack) =>
    (['koffi', 'naudiodon'] as const).map((backend) => ({ backend, lack, why: `${backend} is not found` }))

  test.each(['linux', 'darwin', 'win32'] as const)(
    'names on %s the packages to install, first those without a compiler',
    (platform) => {
      const { code, message } = noBackend(missing('package'), 'npm', platform)
      expect(code).toBe('ERR_WAVESPOOL_NO_BACKEND')
      expect(message).toMatch(/npm install koffi.*Or compile naudiodon: .*npm install naudiodon/)
      expect(message).toContain('(koffi: koffi is not found; naudiodon: naudiodon is not found)')
    },
  )

  test.each([
    ['npm', 'npm install koffi', 'npm rebuild naudiodon'],
    ['pnpm', 'pnpm add koffi', 'pnpm approve-builds naudiodon'],
    ['yarn', 'yarn add koffi', 'npm rebuild naudiodon'],
    ['bun', 'bun add koffi', 'bun pm trust naudiodon'],
  ] as const)('names the commands of %s', (manager, adding, compiling) => {
    expect(noBackend(missing('package'), manager, 'linux').message).toContain(adding)
    const { message } = noBackend(missing('part'), manager, 'linux')
    expect(message).toMatch(
      /needs the package koffi or the package naudiodon, and neither loads. Install PortAudio: apt-get/,
    )
    expect(message).toContain(compiling)
    expect(message).not.toContain(adding)
  })

  test.each(backendNames)('names the missing part of %s alone', (backend) => {
    const { message } = noBackend([{ backend, lack: 'package', why: 'not found' }], 'npm', 'linux')
    expect(message).toMatch(
      new RegExp(`needs the package ${backend}, which does not load.*npm install ${backend}`),
    )
  })
})

describe('the package manager', () => {
  const folders: string[] = []
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })
  /** The package as one has installed it in a project. */
  const project = (trace: string, text = '') => {
    const folder = mkdtempSync(join(tmpdir(), 'wavespool-manager-'))
    folders.push(folder)
    const installed = join(folder, 'node_modules', 'wavespool', 'dist')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(folder, 'node_modules', 'wavespool', 'package.json'), '{ "name": "wavespool" }')
    writeFileSync(join(folder, trace), text)
    return installed
  }

  test.each([
    ['node_modules/.modules.yaml', 'pnpm'],
    ['node_modules/.package-lock.json', 'npm'],
    ['node_modules/.yarn-integrity', 'yarn'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
  ])('left %s, and is %s, even if another one started the program', (trace, manager) => {
    expect(findPackageManager(project(trace), 'npm/12.2.1 node/v26.10.0 linux x64')).toBe(manager)
  })

  test('is that of the manifest, else the one that started the program, else npm', () => {
    expect(
      findPackageManager(project('package.json', '{ "packageManager": "pnpm@10.1.0" }'), 'yarn/4.1'),
    ).toBe('pnpm')
    expect(findPackageManager(project('package.json', '{}'), 'yarn/1.22.22 npm/? node/v20')).toBe('yarn')
    expect(findPackageManager(project('package.json', 'torn'), undefined)).toBe('npm')
  })
})
