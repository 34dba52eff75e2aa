import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '../..')

export interface HostResult {
  code: number | null
  stdout: string
  stderr: string
  /** files that the program left in its working directory */
  left: string[]
}

export interface HostOptions {
  env?: NodeJS.ProcessEnv
  execArgv?: string[]
  /** where the package is: its own build, or a copy */
  entry?: string
  /** handed the process as soon as it runs */
  onStart?: (child: ChildProcess) => void
}

/**
 * Runs a program that uses the built package, as a user's would, in an empty working directory of its own. The
 * program finds the package's exports as `wavespool`.
 */
export async function runHost(program: string, options: HostOptions = {}): Promise<HostResult> {
  const { env = process.env, execArgv = [], entry = join(root, 'dist', 'index.js'), onStart } = options
  const directory = await mkdtemp(join(tmpdir(), 'wavespool-host-'))
  const elsewhere = await mkdtemp(join(tmpdir(), 'wavespool-program-'))
  try {
    const file = join(elsewhere, 'program.mjs')
    await writeFile(
      file,
      `import * as wavespool from ${JSON.stringify(pathToFileURL(entry).href)}\n${program}`,
    )
    const child = spawn(process.execPath, [...execArgv, file], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout!.on('data', (bytes) => out.push(bytes))
    child.stderr!.on('data', (bytes) => err.push(bytes))
    onStart?.(child)
    const code = await new Promise<number | null>((settle) => child.once('close', settle))
    const left = await readdir(directory)
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), left }
  } finally {
    await rm(directory, { recursive: true, force: true })
    await rm(elsewhere, { recursive: true, force: true })
  }
}

/** A copy of the build in a place where no optional package can be found. Remove the directory afterwards. */
export async function copyBuild(): Promise<{ directory: string; entry: string }> {
  const { cp } = await import('node:fs/promises')
  const directory = await mkdtemp(join(tmpdir(), 'wavespool-copy-'))
  await cp(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  return { directory, entry: join(directory, 'dist', 'index.js') }
}

/** Makes one of this project's installed packages visible to a copy of the build. */
export async function linkPackage(directory: string, name: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  await mkdir(join(directory, 'node_modules'), { recursive: true })
  await symlink(join(root, 'node_modules', name), join(directory, 'node_modules', name))
}
