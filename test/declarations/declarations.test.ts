import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyNotInstalled } from '../packages.ts'

const here = import.meta.dirname
const root = join(here, '../..')
const why = await whyNotInstalled(here, 'the compilers of users')
if (why) console.warn(why)

/** A project of a user, which has the package without its optional packages. */
let project: string

beforeAll(async () => {
  if (why) return
  project = await mkdtemp(join(tmpdir(), 'wavespool-declarations-'))
  const modules = join(project, 'node_modules')
  await mkdir(join(modules, 'wavespool'), { recursive: true })
  await cp(join(root, 'dist'), join(modules, 'wavespool/dist'), { recursive: true })
  await copyFile(join(root, 'package.json'), join(modules, 'wavespool/package.json'))
  for (const name of ['@types', 'undici-types'])
    await symlink(join(here, 'node_modules', name), join(modules, name))
  const program = await readFile(join(here, 'program.ts'), 'utf8')
  for (const type of ['module', 'commonjs']) {
    await mkdir(join(project, type))
    await writeFile(join(project, type, 'package.json'), JSON.stringify({ type }))
    await writeFile(join(project, type, 'program.ts'), program)
  }
  await writeFile(
    join(project, 'commonjs/imports.ts'),
    "export const made = import('wavespool').then(({ pcmFormat, VirtualFile }) => [pcmFormat(), new VirtualFile()])\n",
  )
})
afterAll(async () => {
  if (project) await rm(project, { recursive: true })
})

async function complaints(typescript: string, folder: string, file: string, options: Record<string, string>) {
  const require = createRequire(typescript === 'typescript' ? import.meta.url : join(here, 'package.json'))
  const manifest = require.resolve(`${typescript}/package.json`)
  const tsc = join(dirname(manifest), require(manifest).bin.tsc)
  const args = Object.entries({ ...options, target: 'es2022', types: 'node', skipLibCheck: 'false' })
  const all = [tsc, '--noEmit', '--strict', '--exactOptionalPropertyTypes', file]
  all.push(...args.flatMap(([name, value]) => [`--${name}`, value]))
  return promisify(execFile)(process.execPath, all, { cwd: join(project, folder) }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}` || 'it failed without a word',
  )
}

const node16 = { module: 'node16', moduleResolution: 'node16' }
const nodenext = { module: 'nodenext', moduleResolution: 'nodenext' }
const bundler = { module: 'esnext', moduleResolution: 'bundler' }

describe.skipIf(why)('the declarations compile, libraries checked', { timeout: 300_000 }, () => {
  test.each([
    ['typescript-5.6', node16],
    ['typescript-5.6', nodenext],
    ['typescript-5.6', bundler],
    ['typescript', nodenext],
  ])('in a project of ES modules, %s, %o', async (typescript, options) => {
    expect(await complaints(typescript, 'module', 'program.ts', options)).toBe('')
  })

  test.each([
    ['typescript-5.6', { module: 'commonjs', moduleResolution: 'node10' }, 'program.ts'],
    ['typescript-5.6', nodenext, 'imports.ts'],
    ['typescript', nodenext, 'program.ts'],
  ])('in a project of CommonJS, %s, %o, %s', async (typescript, options, file) => {
    expect(await complaints(typescript, 'commonjs', file, options)).toBe('')
  })
})
