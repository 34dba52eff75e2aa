import { describe, expect, test } from 'vitest'
import { alawCode, alawSamples, mulawCode, mulawSamples } from '../../src/dsp/g711.ts'
import { hasTool, run } from '../oracles/tools.ts'

/** ITU-T G.711 as its tables have it: the decision values x1 to x127 and the values y that a decoder gives. */
interface Law {
  /** 16-bit samples for each unit of the tables: µ-law counts to 8159, A-law to 4096 */
  unit: number
  decisionValues: number[]
  decoded: number[]
  code(interval: number, isNegative: boolean): number
}

/** Decision values from runs of intervals of one length. */
function decisions(runs: [count: number, length: number][]): number[] {
  const values = [0]
  for (const [count, length] of runs) {
    for (let i = 0; i < count; i++) values.push(values.at(-1)! + length)
  }
  return values
}

const middles = (values: number[]) => values.slice(1).map((value, i) => (value + values[i]!) / 2)

// Tables 2a and 2b: an interval of 1, fifteen of 2, then sixteen each of 4, 8 … 256.
const mulawEdges = decisions([[1, 1], [15, 2], ...doubling(4, 256)])
const mulaw: Law = {
  unit: 4,
  decisionValues: mulawEdges.slice(1, -1),
  decoded: [0, ...middles(mulawEdges).slice(1)],
  code: (interval, isNegative) => (isNegative ? 0x7f : 0xff) - interval,
}

// Tables 1a and 1b: 32 intervals of 2, then sixteen each of 4, 8 … 128; the even bits inverted.
const alawEdges = decisions([[32, 2], ...doubling(4, 128)])
const alaw: Law = {
  unit: 8,
  decisionValues: alawEdges.slice(1, -1),
  decoded: middles(alawEdges),
  code: (interval, isNegative) => ((isNegative ? 0 : 0x80) | interval) ^ 0x55,
}

function doubling(first: number, last: number): [number, number][] {
  return first > last ? [] : [[16, first], ...doubling(first * 2, last)]
}

/** A sample on a decision value belongs to the interval above it, as on a number line that runs upwards: see g711.ts. */
function encode({ unit, decisionValues, code }: Law, sample: number): number {
  const value = sample / unit
  const interval = decisionValues.filter((x) => (value < 0 ? x < -value : x <= value)).length
  return code(interval, value < 0)
}

const allSamples = Array.from({ length: 65_536 }, (_, i) => i - 32_768)
const laws = {
  mulaw: { law: mulaw, samples: mulawSamples, ours: (sample: number) => mulawCode(sample >> 2) },
  alaw: { law: alaw, samples: alawSamples, ours: (sample: number) => alawCode(sample >> 4) },
}

describe.each(Object.entries(laws))('%s', (_, { law, samples, ours }) => {
  test('the tables end where the standard says', () => {
    expect(law.decisionValues.length).toBe(127)
    expect(law.decoded.at(-1)! * law.unit).toBe(law === mulaw ? 32_124 : 32_256)
  })

  test('all 256 codes are decoded as the tables say, and encoded into themselves', () => {
    for (let interval = 0; interval < 128; interval++) {
      for (const isNegative of [false, true]) {
        const code = law.code(interval, isNegative)
        const sample = law.decoded[interval]! * law.unit * (isNegative ? -1 : 1)
        expect(samples[code]).toBe(sample + 0)
        // Of the two zeros of µ-law, a sample can only become the positive one.
        if (code !== 0x7f || law !== mulaw) expect(ours(sample)).toBe(code)
      }
    }
    expect(mulawCode(0)).toBe(0xff)
  })

  test('all 65,536 samples are encoded by the decision values', () => {
    expect(allSamples.findIndex((sample) => ours(sample) !== encode(law, sample))).toBe(-1)
  })
})

describe.runIf(hasTool('sox'))('sox', () => {
  const raw = ['-t', 'raw', '-r', '8000', '-c', '1']
  const linear = ['-e', 'signed-integer', '-b', '16']
  const input = Buffer.from(Int16Array.from(allSamples).buffer)

  // sox rounds to 14 and to 13 bits before it looks for the interval, which moves each decision value by half of such
  // a bit, and the samples in between into the next interval.
  test.each([
    ['mulaw', 'mu-law', 510],
    ['alaw', 'a-law', 1020],
  ] as const)(
    '%s: decodes the same; encodes %s otherwise for %i samples, by one step',
    (name, soxName, count) => {
      const { samples, ours, law } = laws[name]
      const companded = ['-e', soxName, '-b', '8']
      const codes = Buffer.from(Array.from({ length: 256 }, (_, code) => code))
      const decoded = run('sox', ['-D', ...raw, ...companded, '-', ...raw, ...linear, '-'], codes)
      for (let code = 0; code < 256; code++) expect(samples[code]).toBe(decoded.readInt16LE(code * 2))

      const encoded = run('sox', ['-D', ...raw, ...linear, '-', ...raw, ...companded, '-'], input)
      const order = Uint8Array.from({ length: 256 }) // of the codes, by the values that they stand for
      for (let i = 0; i < 128; i++) {
        order[law.code(i, false)] = 128 + i
        order[law.code(i, true)] = 127 - i
      }
      const steps = allSamples.map((sample, i) => order[encoded[i]!]! - order[ours(sample)]!)
      expect(steps.filter((step) => step !== 0).length).toBe(count)
      expect(steps.every((step) => Math.abs(step) <= 1)).toBe(true)
    },
  )
})
