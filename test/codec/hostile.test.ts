import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { hasTool } from '../oracles/tools.ts'

const program = new URL('hostile.mjs', import.meta.url).pathname
const fresh = Date.now() % 2 ** 31
/** The long form is the program by itself: 20,000 of each kind. */
const RUNS = 40

/** The report of the program on each kind of file. */
function run(seed: number, count: number): { kind: string; runs?: number; faults?: number }[] {
  const { stdout } = spawnSync(
    process.execPath,
    [program, '--count', String(count), '--seed', String(seed)],
    { encoding: 'utf8' },
  )
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test.runIf(hasTool('ffmpeg')).each([
  ['the same', 1],
  ['new', fresh],
])(
  'broken files end with a typed error or with samples: %s ones (seed %i)',
  (_which, seed) => {
    const said = run(seed, RUNS)
    expect(said, JSON.stringify(said)).toHaveLength(11)
    for (const each of said) expect(each, JSON.stringify(each)).toMatchObject({ runs: RUNS, faults: 0 })
  },
  300_000,
)
