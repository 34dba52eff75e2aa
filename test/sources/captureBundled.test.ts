import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { realTime } from '../realTime.ts'
import { runHost } from '../rig/host.ts'
import { Rig, whyNoRig } from '../rig/rig.ts'

const root = resolve(import.meta.dirname, '../..')

/** Applications whose bundler has taken the package apart: the capture child's script is not where it was. */
describe.skipIf(whyNoRig)(`an application bundled with esbuild ${whyNoRig ?? ''}`, realTime, () => {
  let rig: Rig
  let directory: string
  let entry: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wavespool-bundled-'))
    entry = join(directory, 'bundle.mjs')
    const entryPoints = [join(root, 'dist', 'index.js')]
    await build({ entryPoints, bundle: true, outfile: entry, platform: 'node', format: 'esm' })
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  beforeEach(async () => {
    rig = await Rig.start()
  })
  afterEach(() => rig?.stop())

  const program = `
    const { pcmFormat, portAudio } = wavespool
    const source = portAudio(pcmFormat())
    source.on('error', (error) => console.log(error.code, error.message))
    source.once('data', () => { console.log('heard'); source.stop() })
  `

  test('gets an error that says why it cannot record, and what to do', async () => {
    const result = await runHost(program, { env: rig.env, entry })
    expect(result.stdout).toMatch(/^ERR_WAVESPOOL_CAPTURE .*--external:wavespool/)
    expect(result).toMatchObject({ code: 0, stderr: '', left: [] })
  })

  test('records where the package is installed beside it', async () => {
    await mkdir(join(directory, 'node_modules'))
    await symlink(root, join(directory, 'node_modules', 'wavespool'))
    const result = await runHost(program, { env: rig.env, entry })
    expect(result).toEqual({ code: 0, stdout: 'heard\n', stderr: '', left: [] })
  })
})
