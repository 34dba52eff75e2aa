import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firKernel, plainKernel } from '../../../src/dsp/resampling/firKernel.ts'
import { random } from '../samples.ts'

/** Where things lie, in floats: filters, input, output. */
const [INPUT, OUTPUT, LENGTH] = [4000, 10_000, 16_000]

const runs = fc.record({
  taps: fc.integer({ min: 1, max: 8 }).map((n) => n * 16),
  filters: fc.integer({ min: 1, max: 30 }),
  start: fc.nat(29),
  step: fc.nat(29),
  inputStep: fc.nat(20),
  outputStep: fc.integer({ min: 1, max: 6 }),
  count: fc.integer({ min: 1, max: 200 }),
  offset: fc.nat(7),
})

test('the vectors give what the plain loop gives, and touch nothing else', () => {
  const { memory, run } = firKernel(LENGTH)
  expect(memory.length).toBe(16_384) // a page, which only WebAssembly rounds up to
  const next = random()
  fc.assert(
    fc.property(runs, ({ taps, filters, start, step, inputStep, outputStep, count, offset }) => {
      const output = (OUTPUT + offset) * 4
      const args = [
        ...[output, output + count * outputStep * 4, outputStep * 4, (INPUT + offset) * 4, inputStep * 4],
        ...[
          (start % filters) * taps * 4,
          (step % filters) * taps * 4,
          taps * 4,
          filters * taps * 4,
          filters * taps * 4,
        ],
      ] as Parameters<typeof run>
      for (let i = 0; i < LENGTH; i++) memory[i] = next() - 0.5
      const plain = memory.slice()
      plainKernel(plain)(...args)
      run(...args)
      let most = 0
      for (let i = 0; i < LENGTH; i++) most = Math.max(most, Math.abs(memory[i]! - plain[i]!))
      expect(most).toBeLessThan(2e-6)
    }),
    { numRuns: 300 },
  )
})

test('where WebAssembly cannot be had, the plain loop takes its place', () => {
  const { WebAssembly } = globalThis as { WebAssembly?: unknown }
  Reflect.deleteProperty(globalThis, 'WebAssembly')
  try {
    const { memory, run } = firKernel(100)
    expect(memory.length).toBe(100)
    memory.fill(0.5, 0, 32)
    run(4 * 40, 4 * 41, 4, 4 * 16, 4, 0, 0, 64, 64, 64)
    expect(memory[40]).toBe(4)
  } finally {
    Object.defineProperty(globalThis, 'WebAssembly', {
      value: WebAssembly,
      configurable: true,
      writable: true,
    })
  }
})
