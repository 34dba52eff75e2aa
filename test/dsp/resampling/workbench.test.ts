import { expect, test } from 'vitest'
import { plainMachine } from '../../../src/dsp/resampling/firKernel.ts'
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

test('tables lie behind the work, untouched by it, and come back when they had to make room', () => {
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
