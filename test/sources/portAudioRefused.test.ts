import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realTime } from '../realTime.ts'
import { runHost } from '../rig/host.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

const root = resolve(import.meta.dirname, '../..')
const flag = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'
const readAll = [flag, '--allow-fs-read=*', '--allow-fs-write=*']

const program = `
  const { pcmFormat, portAudio, listDevices, prewarm } = wavespool
  const tell = (error) => console.log(error.name, error.code, error.message.match(/--allow-[a-z-]+/)?.[0])
  const source = portAudio(pcmFormat())
  source.on('error', tell).once('data', () => { console.log('heard'); source.stop() })
  await new Promise((resolve) => source.once('close', resolve))
`

describe('under the permission model', () => {
  test('a microphone names the permission that it lacks', async () => {
    const each = `${program}; await listDevices().catch(tell); await prewarm().catch(tell)`
    const { code, stdout } = await runHost(each, { execArgv: readAll })
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'WavespoolError ERR_WAVESPOOL_CAPTURE --allow-child-process\n'.repeat(3),
    })
  })

  test('it distinguishes a script that it may not read from a missing one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'wavespool-refused-'))
    try {
      const entry = join(directory, 'bundle.mjs')
      const entryPoints = [join(root, 'dist', 'index.js')]
      const options = { platform: 'node', format: 'esm', logLevel: 'silent' } as const
      const { warnings } = await build({ entryPoints, bundle: true, outfile: entry, ...options })
      expect(warnings).toEqual([])
      // the program and its bundle may be read, the package beside them may not
      const script = join(directory, 'sources', 'capture', 'child.js')
      await mkdir(dirname(script), { recursive: true })
      await writeFile(script, '')
      const execArgv = [flag, '--allow-child-process', `--allow-fs-read=${entry}`]
      const { stdout } = await runHost(program, {
        entry,
        execArgv: [...execArgv, `--allow-fs-read=${join(tmpdir(), 'wavespool-program-')}*`],
      })
      expect(stdout).toBe('WavespoolError ERR_WAVESPOOL_CAPTURE --allow-fs-read\n')
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

describe.skipIf(whyNoRig)(`with a microphone ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  beforeEach(async () => {
    rig = await Rig.start()
  })
  afterEach(() => rig?.stop())

  test('it records with the permissions that are named', async () => {
    const execArgv = [...readAll, '--allow-child-process', '--allow-addons']
    const { stdout } = await runHost(program, { env: rig.env, execArgv })
    expect(stdout).toBe('heard\n')
  })

  test('it records where the working directory has been removed', async () => {
    const gone = `
      const { mkdtempSync, rmdirSync } = await import('node:fs')
      const { tmpdir } = await import('node:os')
      const folder = mkdtempSync(tmpdir() + '/wavespool-gone-')
      process.chdir(folder)
      rmdirSync(folder)
      ${program}
    `
    const result = await runHost(gone, { env: rig.env })
    expect(result).toMatchObject({ code: 0, stdout: 'heard\n', stderr: '' })
  })
})

test('a bundle runs no script out of the working directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wavespool-planted-'))
  try {
    for (const format of ['esm', 'cjs'] as const) {
      const entry = join(directory, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
      const entryPoints = [join(root, 'dist', 'index.js')]
      await build({ entryPoints, bundle: true, outfile: entry, platform: 'node', format, logLevel: 'error' })
      const planted = `
        const { mkdirSync, writeFileSync } = await import('node:fs')
        mkdirSync('node_modules/wavespool/dist/sources/capture', { recursive: true })
        writeFileSync('node_modules/wavespool/package.json', '{ "name": "wavespool", "version": "9.9.9" }')
        writeFileSync('node_modules/wavespool/dist/sources/capture/child.js', 'require("fs").writeFileSync("planted-ran", "")')
        ${program}
      `
      const { code, stdout, left } = await runHost(planted, { entry })
      expect({ code, stdout, left }).toEqual({
        code: 0,
        stdout: 'WavespoolError ERR_WAVESPOOL_CAPTURE undefined\n',
        left: ['node_modules'],
      })
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
