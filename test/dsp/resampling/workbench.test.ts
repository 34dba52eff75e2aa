import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeSamples } from '../../../src/dsp/encode.ts'
import { firMachine, plainMachine } from '../../../src/dsp/resampling/firKernel.ts'
import { Workbench } from '../../../src/dsp/resampling/workbench.ts'

test('the filters of a pair of rates are made once, and the latest sixteen pairs are kept', () => {
  const bench = new Workbench(plainMachine())
  const first = bench.filters(1, 2)
  for (let to = 3; to < 17; to++) bench.filters(1, to)
  expect(bench.filters(1, 2)).toBe(first)
  for (let to = 20; to < 35; to++) bench.filters(1, to)
  expect(bench.filters(1, 2)).toBe(first)
  for (let to = 40; to < 56; to++) bench.filters(1, to)
  expect(bench.filters(1, 2)).not.toBe(first)
  expect(bench.filters(1, 2)).toEqual(first)
})

test('tables lie behind the work, stay unchanged, and are copied again after growing work displaced them', () => {
  const bench = new Workbench(plainMachine())
  const pairs = Array.from({ length: 12 }, (_, i) => {
    const coefficients = new Float32Array(2 ** 17 - 16 * i).fill(i + 2)
    return { work: 101 + i * 50, filters: { coefficients, length: 16, reach: 8, places: 1, isExact: true } }
  })
  for (const { filters, work } of [...pairs, ...pairs.toReversed(), ...pairs]) {
    const at = bench.prepare(filters, work)
    expect(at).toBeGreaterThanOrEqual(work)
    expect(at % 4).toBe(0) // where a vector is loaded quickest
    bench.machine.memory.fill(1, 0, work)
    const { coefficients } = filters
    const laid = bench.machine.memory.slice(at, at + coefficients.length)
    expect(Buffer.from(laid.buffer).equals(Buffer.from(coefficients.buffer))).toBe(true)
    expect(bench.prepare(filters, work)).toBe(at)
  }
  expect(bench.machine.memory.length).toBeLessThan(1.1 * 2 ** 20)
})

// Halves of a step, their closest neighbours, and any bits.
const steps = fc.integer({ min: -32_770, max: 32_770 })
const half = fc
  .tuple(steps, fc.constantFrom(-(2 ** -9), 0, 2 ** -9))
  .map(([n, off]) => (n + 0.5 + off) / 32_768)
const justBelow = fc.constantFrom(0.499_999_97 / 32_768, -0.500_000_03 / 32_768, -1e-30, 1e-30)
const floats = fc.oneof(half, justBelow, fc.float(), fc.constantFrom(Number.NaN, -0, 1e30, -1e30))

test('samples in the memory are encoded as by encodeSamples(), and seven floats behind them are overwritten', () => {
  const bench = new Workbench(firMachine())
  const { memory } = bench.machine
  fc.assert(
    fc.property(fc.array(floats, { maxLength: 70 }), fc.nat(7), (values, offset) => {
      const samples = memory.fill(0.25).subarray(100 + offset, 100 + offset + values.length)
      samples.set(values)
      const [expected, got] = [new Uint8Array(200), new Uint8Array(200)]
      encodeSamples(samples, { encoding: 's16le' }, expected)
      expect(bench.encodeInt16(samples, got)).toBe(true)
      expect(Buffer.from(got).equals(expected)).toBe(true)
      const behind = 100 + offset + values.length + 7
      expect(memory.subarray(0, 100 + offset).every((value) => value === 0.25)).toBe(true)
      expect(memory.subarray(behind).every((value) => value === 0.25)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['lie somewhere else', new Workbench(firMachine()), new Float32Array(8)],
  ['lie where there are no vectors', new Workbench(plainMachine()), undefined],
])('samples that %s are left to encodeSamples()', (_where, bench, samples) => {
  const out = new Uint8Array(16).fill(7)
  expect(bench.encodeInt16(samples ?? bench.machine.memory.subarray(0, 8), out)).toBe(false)
  expect(out).toEqual(new Uint8Array(16).fill(7))
})
