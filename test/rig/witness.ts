import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const RATE = 48_000

/**
 * PulseAudio's own recorder at the same microphone, mono s16le at 48 kHz: the audio that the machine delivered to every
 * program. A player that a busy machine keeps waiting leaves the same break in both recordings; a break that the witness
 * does not have is a fault of the source.
 */
export class Witness {
  readonly #process: ChildProcess
  readonly #path: string

  private constructor(process: ChildProcess, path: string) {
    this.#process = process
    this.#path = path
  }

  /** It writes into a file, so that no program has to read while it records. */
  static async start(path: string, env: NodeJS.ProcessEnv): Promise<Witness> {
    const file = openSync(path, 'w')
    const options = ['--device=virt.monitor', `--rate=${RATE}`, '--channels=1', '--format=s16le', '--raw']
    const process = spawn('parec', [...options, '--latency-msec=500'], {
      env,
      stdio: ['ignore', file, 'inherit'],
    })
    closeSync(file)
    const witness = new Witness(process, path)
    while ((await readFile(path)).length === 0) {
      if (process.exitCode !== null) throw new Error('parec ended: the sound server may have died')
      await sleep(50)
    }
    return witness
  }

  /** Everything that it heard. */
  async end(): Promise<Buffer> {
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGINT')
    await gone
    return readFile(this.#path)
  }
}

/** A recording, the gaps that its source reported, and the seconds that it should have lasted. */
export interface Testimony {
  pcm: Buffer
  bytesPerSecond: number
  gaps: readonly { frames: number }[]
  sampleRate: number
  seconds: number
}

/** Seconds that neither the recording nor the reported gaps hold; fewer than 0 where they hold too many. */
export function secondsMissing({ pcm, bytesPerSecond, gaps, sampleRate, seconds }: Testimony): number {
  const told = gaps.reduce((sum, { frames }) => sum + frames, 0) / sampleRate
  return seconds - told - pcm.length / bytesPerSecond
}

/**
 * The breaks of a recorded ramp that the witness's recording does not have, by the samples before and behind them, without
 * as many as its source reported gaps.
 */
export function unexplainedRampBreaks(pcm: Buffer, witnessed: Buffer, gaps: number): string[] {
  const seen = new Set(rampBreaksOf(witnessed))
  const own = rampBreaksOf(pcm).filter((each) => !seen.has(each))
  return own.slice(gaps)
}

function rampBreaksOf(pcm: Buffer): string[] {
  const samples = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + (pcm.length & ~1)))
  const first = samples.findIndex((x) => x !== 0)
  const last = samples.findLastIndex((x) => x !== 0)
  const breaks: string[] = []
  let before = samples[first] ?? 0
  // Silence inside comes from the player; its length may differ, as the two recorders began at different times.
  for (let i = first + 1; i <= last; i++) {
    const sample = samples[i]!
    if (sample === (before % 32_000) + 1) before = sample
    else if (sample !== 0) {
      breaks.push(`${before} > ${sample}`)
      before = sample
    }
  }
  return breaks
}
