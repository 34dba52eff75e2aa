// Runs every benchmark in a process of its own. Each prints a ratio against a peer in the same run.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const sizes = [640, 1920, 16384]
const runs = [
  ['limit + chunk + wavHeader + VirtualFile, against three identity Transforms and a bare paged copy'],
  ...sizes.map((size) => ['chain.mjs', size]),
  ['Append, against a bare paged copy, one memcpy, and a Writable of pages'],
  ...sizes.map((size) => ['append.mjs', size, 128]),
  ...[1, 16, 256, 1024].map((mebibytes) => ['append.mjs', 1920, mebibytes]),
  ['Each stage alone, against an identity Transform, and in × real time of 16 kHz mono s16le'],
  ...sizes.map((size) => ['stages.mjs', size]),
  ...sizes.map((size) => ['segment.mjs', size]),
  ['convert() in pieces of 20 ms, against an identity Transform, and in × real time'],
  ['convert.mjs'],
  ['Sample rates: 10 s of mono s16le, against sox as a process and npm packages of the same quality'],
  ...[
    [48_000, 16_000],
    [44_100, 16_000],
    [8000, 16_000],
    [16_000, 48_000],
  ].map((rates) => ['resample.mjs', ...rates, 10]),
  ['timeline() of two tracks in packets of 20 ms, against a plain interleave'],
  ['timeline.mjs'],
  ['Many live calls in one process, against as many rows of three identity Transforms'],
  ['calls.mjs'],
  ['Five minutes of speech compressed and back, against ffmpeg as a process'],
  ['codec.mjs'],
  ['The VirtualFile, against what else bytes can be kept in'],
  ['virtualFile.mjs'],
  ['Append to memory, to its end'],
  ['appendFlat.mjs'],
  ['The page while one records: 200 followers, ten pages, beside a process that does nothing'],
  ['serve.mjs'],
  ['Import'],
  ['import.mjs'],
]

let failed = 0
for (const [program, ...args] of runs) {
  if (!program.endsWith('.mjs')) {
    console.log(`\n${program}`)
    continue
  }
  const path = fileURLToPath(new URL(program, import.meta.url))
  const { status } = spawnSync(process.execPath, ['--expose-gc', path, ...args.map(String)], {
    stdio: 'inherit',
  })
  if (status !== 0) failed++
}

console.log(`
Medians of alternating pairs. Not shown: a microphone, a disk, chunks that do not fit the windows (each then costs a
copy), other threads that read at the same time, and what a busy machine does to the absolute figures.`)
process.exitCode = failed > 0 ? 1 : 0
