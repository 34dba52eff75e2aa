import { existsSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backendNames } from '../../src/sources/capture/backend.ts'
import { realTime } from '../realTime.ts'
import { copyBuild, linkPackage, runHost } from '../rig/host.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

/** Whole programs that record: the effects of a microphone on its process. */
describe.skipIf(whyNoRig)(`a program that records ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await Rig.start()
  })
  afterEach(() => rig?.stop())

  test("an error that a listener of 'gap' throws is uncaught, and all captured audio is delivered", async () => {
    const { code, stdout, stderr } = await runHost(
      `
      const { pcmFormat, portAudio } = wavespool
      let thrown = 0
      process.on('uncaughtException', () => { thrown += 1 })
      const source = portAudio(pcmFormat({ sampleRate: 48_000 }), { queue: { seconds: 0.2 } })
      source.on('gap', () => { throw new Error('the listener fails') })
      let bytes = 0
      source.on('data', (chunk) => { bytes += chunk.length })
      await source.ready
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
      setTimeout(() => source.stop(), 700)
      source.on('end', () => {
        const isAfter = source.frames > source.gaps[0]?.at + 4000
        console.log('end', thrown > 0 && thrown === source.gaps.length, bytes === source.frames * 2, isAfter)
      })
      `,
      { env: rig.env },
    )
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'end true true true\n', stderr: '' })
  })

  test.each(backendNames)(
    'has only its own output, no new file, no handlers of ours, and exits by itself (%s)',
    async (backend) => {
      const result = await runHost(
        `
      const { pcmFormat, portAudio, listDevices } = wavespool
      const events = ['SIGINT', 'SIGTERM', 'SIGSEGV', 'uncaughtException', 'unhandledRejection', 'disconnect']
      const handlers = () => events.map((event) => process.listenerCount(event)).join()
      const before = handlers()
      await listDevices({ backend: '${backend}' })
      const source = portAudio(pcmFormat(), { backend: '${backend}' })
      let bytes = 0
      source.on('data', (chunk) => { bytes += chunk.length })
      setTimeout(() => source.stop(), 700)
      source.on('end', () => console.log('end', bytes > 0, before === handlers()))
      `,
        { env: rig.env },
      )
      expect(result).toEqual({ code: 0, stdout: 'end true true\n', stderr: '', left: [] })
    },
  )

  test.each(backendNames)('exits by itself after destroy(), and after an error (%s)', async (backend) => {
    const result = await runHost(
      `
      const { pcmFormat, portAudio } = wavespool
      const one = portAudio(pcmFormat(), { backend: '${backend}' })
      one.once('data', () => one.destroy())
      const other = portAudio(pcmFormat(), { backend: '${backend}', device: 99 })
      other.on('error', (error) => console.log(error.code))
      other.resume()
      `,
      { env: rig.env },
    )
    expect(result).toEqual({ code: 0, stdout: 'ERR_WAVESPOOL_NO_DEVICE\n', stderr: '', left: [] })
  })

  test.each(backendNames)(
    'may have options of its own, and may call process.exit() while it records (%s)',
    async (backend) => {
      const result = await runHost(
        `
      const { pcmFormat, portAudio } = wavespool
      portAudio(pcmFormat(), { backend: '${backend}' }).once('data', () => { console.log('heard'); process.exit(3) })
      `,
        {
          env: { ...rig.env, NODE_OPTIONS: '--no-warnings' },
          execArgv: ['--expose-gc', '--stack-trace-limit=5'],
        },
      )
      expect(result).toEqual({ code: 3, stdout: 'heard\n', stderr: '', left: [] })
    },
  )

  test.each(backendNames)(
    'its capture child ends within a second when it is killed (%s)',
    async (backend) => {
      let pid = 0
      const result = await runHost(
        `
      const { pcmFormat, portAudio } = wavespool
      const source = portAudio(pcmFormat(), { backend: '${backend}' })
      source.once('data', () => console.log(source.pid))
      `,
        {
          env: rig.env,
          onStart: (child) => {
            child.stdout!.once('data', (bytes: Buffer) => {
              pid = Number(bytes.toString())
              child.kill('SIGKILL')
            })
          },
        },
      )
      expect(result.code).toBeNull()
      expect(pid).toBeGreaterThan(0)
      for (let waited = 0; isRunning(pid) && waited < 1000; waited += 10) await sleep(10)
      expect(isRunning(pid)).toBe(false)
    },
  )

  test('names the packages to install where no backend is installed', async () => {
    const { directory, entry } = await copyBuild()
    try {
      const result = await runHost(
        `
        const { pcmFormat, portAudio, listDevices } = wavespool
        await listDevices().catch((error) => console.log(error.code))
        portAudio(pcmFormat()).resume().on('error', (error) => console.log(error.code, error.message))
        `,
        { env: rig.env, entry },
      )
      expect(result).toMatchObject({ code: 0, stderr: '', left: [] })
      expect(result.stdout).toMatch(
        /^ERR_WAVESPOOL_NO_BACKEND\nERR_WAVESPOOL_NO_BACKEND .*npm install koffi.*npm install naudiodon/,
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('uses koffi and the PortAudio of the system where naudiodon is missing', async () => {
    const { directory, entry } = await copyBuild()
    try {
      await linkPackage(directory, 'koffi')
      const result = await runHost(
        `
        const { pcmFormat, portAudio } = wavespool
        const source = portAudio(pcmFormat())
        source.once('data', () => source.stop())
        source.ready.then(({ backend }) => console.log(backend))
        `,
        { env: rig.env, entry },
      )
      expect(result).toEqual({ code: 0, stdout: 'koffi\n', stderr: '', left: [] })
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('names the places to look at where there is no input device', async () => {
    const config = join(rig.directory, 'no-microphone.conf')
    await writeFile(config, 'pcm.unplugged { type hw card 99 }')
    const result = await runHost(
      `
      const { pcmFormat, portAudio, listDevices } = wavespool
      console.log(await listDevices())
      portAudio(pcmFormat()).resume().on('error', (error) => console.log(error.code, error.message))
      `,
      { env: { ...rig.env, ALSA_CONFIG_PATH: config } },
    )
    expect(result.stdout).toMatch(/^\[\]\nERR_WAVESPOOL_NO_DEVICE PortAudio finds no input device/)
    expect(result).toMatchObject({ code: 0, stderr: '', left: [] })
  })

  test('goes on where PortAudio crashes, and gets its last output in the error', async () => {
    // PortAudio's ALSA part asserts that a configuration defines at least one device.
    const result = await runHost(
      `await wavespool.listDevices().catch((error) => console.log(error.code, error.message))`,
      { env: { ...rig.env, ALSA_CONFIG_PATH: '/dev/null' } },
    )
    expect(result.stdout).toMatch(/^ERR_WAVESPOOL_CAPTURE .*SIGABRT.*Assertion/)
    expect(result).toMatchObject({ code: 0, stderr: '', left: [] })
  })

  test('gets an error where a device does not open', async () => {
    const result = await runHost(
      `
      const { pcmFormat, portAudio } = wavespool
      portAudio(pcmFormat(), { device: 'default' }).resume().on('error', (error) => console.log(error.code, error.message))
      `,
      { env: { ...rig.env, PULSE_SERVER: 'unix:/nonexistent' } },
    )
    expect(result.stdout).toMatch(/^ERR_WAVESPOOL_(NO_)?DEVICE /)
    expect(result).toMatchObject({ code: 0, stderr: '', left: [] })
  })
})

/** Running, and not merely waiting for its parent to notice that it ended. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
