import { spawnSync } from 'node:child_process'
import type { Encoding } from '../../src/format/encoding.ts'

/** Programs of the machine that tests take for judges, and the Debian package that brings each. */
const packages = {
  python3: 'python3',
  sox: 'sox',
  soxi: 'sox',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  curl: 'curl',
  'sndfile-info': 'sndfile-programs',
  'sndfile-convert': 'sndfile-programs',
  'espeak-ng': 'espeak-ng',
  flac: 'flac',
  opusinfo: 'opus-tools',
  opusdec: 'opus-tools',
  mpg123: 'mpg123',
  chromium: 'chromium',
} as const

export type Tool = keyof typeof packages

/**
 * Whether a program is there. Where CI is set it must be; on a developer's machine the tests that need it are
 * skipped, and this says which package would let them run.
 *
 * @throws {Error} where CI is set and it is missing
 */
export function hasTool(tool: Tool): boolean {
  const isThere = spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0
  if (isThere) return true
  const word = `${tool} is missing: apt-get install ${packages[tool]}`
  if (process.env.CI) throw new Error(word)
  console.warn(`${word} (the tests that need it are skipped)`)
  return false
}

/** Runs a program to its end and returns its output. */
export function run(tool: Tool, args: string[], input?: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { input, maxBuffer: 2 ** 26 })
  if (error) throw error
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')} failed: ${stderr}`)
  return stdout
}

/** The names of encodings in sox: its `-e` and `-b`. */
export const soxEncodings: Record<Encoding, readonly string[]> = {
  u8: ['-e', 'unsigned-integer', '-b', '8'],
  s16le: ['-e', 'signed-integer', '-b', '16'],
  s24le: ['-e', 'signed-integer', '-b', '24'],
  s32le: ['-e', 'signed-integer', '-b', '32'],
  f32le: ['-e', 'floating-point', '-b', '32'],
  f64le: ['-e', 'floating-point', '-b', '64'],
  mulaw: ['-e', 'mu-law', '-b', '8'],
  alaw: ['-e', 'a-law', '-b', '8'],
  s16be: ['-e', 'signed-integer', '-b', '16', '-B'],
  s24be: ['-e', 'signed-integer', '-b', '24', '-B'],
  s32be: ['-e', 'signed-integer', '-b', '32', '-B'],
  f32be: ['-e', 'floating-point', '-b', '32', '-B'],
}
