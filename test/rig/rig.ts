import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The Debian packages of the programs that the rig runs. */
const packages = 'pulseaudio pulseaudio-utils libasound2-plugins minimodem gcc libc6-dev'
const programs = ['pulseaudio', 'paplay', 'pactl', 'minimodem', 'cc']

const missing = programs.filter(
  (program) =>
    !(process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program))),
)

/**
 * Why tests that need the virtual microphone cannot run here; undefined when they can. On CI they must: there a
 * rig that is missing is a failure, not a skip.
 */
export const whyNoRig: string | undefined =
  missing.length === 0 || process.env.CI
    ? undefined
    : `no virtual microphone: ${missing.join(', ')} missing (Debian: apt-get install ${packages})`

/** Sinks whose monitors are microphones: the default one, and another to choose from. */
export interface RigOptions {
  /** Hz and channels at which the sound server runs its sinks (default 48,000 and 1) */
  rate?: number
  channels?: number
  /** the ALSA device that only one program may have open at a time, as hardware is; it takes a C compiler */
  exclusive?: string
}

/**
 * A microphone without hardware: a private PulseAudio with a null sink, and an ALSA configuration that makes the
 * sink's monitor the default input. The microphone hears the audio that is played into the sink. Everything lies in
 * one temporary directory, so that any number of rigs run side by side.
 */
export class Rig implements AsyncDisposable {
  readonly directory: string
  /** the environment of programs that capture from, or play into, this rig */
  readonly env: NodeJS.ProcessEnv
  readonly #server: ChildProcess
  readonly #awake: ChildProcess[] = []
  readonly #before = new Map<string, string | undefined>()

  constructor(directory: string, env: NodeJS.ProcessEnv, server: ChildProcess) {
    this.directory = directory
    this.env = env
    this.#server = server
  }

  static async start({ rate = 48_000, channels = 1, exclusive }: RigOptions = {}): Promise<Rig> {
    if (missing.length > 0)
      throw new Error(`the rig needs ${missing.join(', ')}: apt-get install ${packages}`)
    const directory = await mkdtemp(join(tmpdir(), 'wavespool-rig-'))
    const socket = join(directory, 'pulse.socket')
    const alsa = join(directory, 'asound.conf')
    // Named devices beside the default: ALSA's hint tells PortAudio nothing, but any pcm of the configuration is listed.
    await writeFile(
      alsa,
      `pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.desk_microphone { type pulse device virt.monitor }
pcm.desk_headset { type pulse device other.monitor }
`,
    )
    const runtime = join(directory, 'run')
    await mkdir(runtime, { mode: 0o700 })
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      HOME: directory,
      XDG_RUNTIME_DIR: runtime,
      XDG_CONFIG_HOME: join(directory, 'config'),
      PULSE_SERVER: `unix:${socket}`,
      ALSA_CONFIG_PATH: alsa,
      ...(exclusive === undefined ? {} : makeExclusive(exclusive, directory)),
    }
    const sink = (name: string) =>
      `module-null-sink sink_name=${name} rate=${rate} channels=${channels} format=s16le`
    const server = spawn(
      'pulseaudio',
      [
        ...['-n', '--exit-idle-time=-1', '--daemonize=no', '--use-pid-file=no', '--high-priority=no'],
        ...['-L', `module-native-protocol-unix socket=${socket} auth-anonymous=1`],
        ...['-L', sink('virt'), '-L', sink('other')],
      ],
      // PULSE_SERVER would make a server refuse to start beside another
      { env: { ...env, PULSE_SERVER: undefined }, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    server.stderr?.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-2000)
    })
    const rig = new Rig(directory, env, server)
    for (let tries = 0; !rig.#answers(); tries++) {
      if (tries === 100 || server.exitCode !== null) {
        await rig.stop()
        throw new Error(`PulseAudio did not start: ${said}`)
      }
      await sleep(50)
    }
    rig.#awake.push(hum(env, 'virt', rate), hum(env, 'other', rate))
    rig.#set('default-sink', 'virt')
    rig.#set('default-source', 'virt.monitor')
    return rig
  }

  /** Makes it this process's microphone too, until {@link Rig.stop}. */
  enter(): this {
    for (const [key, value] of Object.entries(this.env)) {
      if (value === process.env[key]) continue
      if (!this.#before.has(key)) this.#before.set(key, process.env[key])
      process.env[key] = value
    }
    return this
  }

  /** Starts to play a file into the microphone. A player with more latency underruns less on a busy machine. */
  play(path: string, { latency = 100 } = {}): Player {
    return new Player(path, { ...this.env, PULSE_LATENCY_MSEC: String(latency) })
  }

  /** How many programs are recording right now. */
  recorders(): number {
    const { stdout } = spawnSync('pactl', ['list', 'short', 'source-outputs'], { env: this.env })
    return stdout.toString().split('\n').filter(Boolean).length
  }

  /** Takes a sink away, and with it the microphone that hears it. */
  unplug(sink: string): void {
    const { stdout } = spawnSync('pactl', ['list', 'short', 'modules'], { env: this.env })
    const module = stdout
      .toString()
      .split('\n')
      .find((line) => line.includes(`sink_name=${sink} `))
    spawnSync('pactl', ['unload-module', module!.split('\t')[0]!], { env: this.env })
  }

  get serverPid(): number {
    return this.#server.pid!
  }

  async stop(): Promise<void> {
    for (const [key, value] of this.#before) {
      if (value === undefined) delete process.env[key]
      else process.env[key] = value
    }
    this.#before.clear()
    for (const player of this.#awake) player.kill('SIGKILL')
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const gone = new Promise((resolve) => this.#server.once('exit', resolve))
      this.#server.kill('SIGKILL')
      await gone
    }
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #answers(): boolean {
    return spawnSync('pactl', ['info'], { env: this.env, stdio: 'ignore' }).status === 0
  }

  #set(what: string, name: string): void {
    spawnSync('pactl', [`set-${what}`, name], { env: this.env, stdio: 'ignore' })
  }
}

/** The environment in which a device is exclusive: see exclusiveDevice.c. */
function makeExclusive(device: string, directory: string): NodeJS.ProcessEnv {
  const library = join(directory, 'exclusive.so')
  const source = join(import.meta.dirname, 'exclusiveDevice.c')
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'])
  return { LD_PRELOAD: library, EXCLUSIVE_DEVICE: device, EXCLUSIVE_LOCK: join(directory, 'exclusive.lock') }
}

/** Plays silence without end: a sink without a player sleeps, and is up to two seconds late when it wakes. */
function hum(env: NodeJS.ProcessEnv, sink: string, rate: number): ChildProcess {
  const zero = openSync('/dev/zero', 'r')
  const player = spawn(
    'pacat',
    [`--device=${sink}`, `--rate=${rate}`, '--channels=1', '--format=s16le', '--latency-msec=20'],
    { env, stdio: [zero, 'ignore', 'ignore'] },
  )
  player.on('error', () => {})
  closeSync(zero)
  return player
}

/** A `paplay` at work. */
export class Player {
  readonly #process: ChildProcess
  /** resolves when the last sample has been heard, or the player was stopped */
  readonly done: Promise<void>

  constructor(path: string, env: NodeJS.ProcessEnv) {
    this.#process = spawn('paplay', ['--device=virt', path], { env, stdio: 'ignore' })
    this.done = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('exit', () => resolve())
    })
  }

  stop(): void {
    this.#process.kill('SIGKILL')
  }
}
