import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

export interface Result {
  /** the exit code, or the signal that ended it */
  code: number | NodeJS.Signals | null
  stdout: Buffer
  stderr: string
}

export interface RunOptions {
  input?: Uint8Array | string
  env?: NodeJS.ProcessEnv
}

/**
 * The packed package, installed into an empty folder as a stranger gets it, which is also the working directory of
 * all that runs there. The build is the one in dist.
 */
export class Packed implements AsyncDisposable {
  readonly folder: string
  /** the command, as npm has linked it */
  readonly command: string

  private constructor(folder: string) {
    this.folder = folder
    this.command = join(folder, 'node_modules', '.bin', 'wavespool')
  }

  /**
   * @param backends with the packages that talk to PortAudio, which are not built once more for it
   * @param peers with the optional peers, the codecs among them
   */
  static install({ backends = false, peers = false } = {}): Packed {
    const folder = mkdtempSync(join(tmpdir(), 'wavespool-command-'))
    const npm = (cwd: string, ...args: string[]) =>
      execFileSync('npm', args, { cwd, stdio: 'pipe', encoding: 'utf8' })
    const packed = npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder)
    const [{ filename }] = JSON.parse(packed)
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const options = ['--no-audit', '--no-fund', '--prefer-offline', '--omit=optional', '--ignore-scripts']
    npm(folder, 'install', ...options, join(folder, filename))
    const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    for (const name of [
      ...(backends ? ['naudiodon', 'koffi'] : []),
      ...(peers ? Object.keys(peerDependencies) : []),
    ]) {
      const link = join(folder, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), link)
    }
    return new Packed(folder)
  }

  /** A path in the folder. */
  path(name: string): string {
    return join(this.folder, name)
  }

  /** Runs the command to its end. */
  async run(args: string[], { input, env }: RunOptions = {}): Promise<Result> {
    const child = this.start(args, env)
    child.stdin.on('error', () => {}) // it need not read all of it
    child.stdin.end(input)
    return ended(child)
  }

  /** Starts the command, with pipes. */
  start(args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcessWithoutNullStreams {
    return spawn(this.command, args, { cwd: this.folder, env })
  }

  /** Runs a line of bash in which `wavespool` is the command. */
  async shell(line: string, env: NodeJS.ProcessEnv = process.env): Promise<Result> {
    const PATH = `${join(this.folder, 'node_modules', '.bin')}:${env.PATH}`
    const child = spawn('bash', ['-c', line], { cwd: this.folder, env: { ...env, PATH } })
    child.stdin.end()
    return ended(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (bytes) => out.push(bytes))
  child.stderr.on('data', (bytes) => err.push(bytes))
  const code = await new Promise<Result['code']>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }
}
