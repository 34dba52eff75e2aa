import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firMachine, plainMachine } from '../../../src/dsp/resampling/firKernel.ts'
import { random } from '../samples.ts'

/** Where things lie, in floats: filters, input, output. */
const [INPUT, OUTPUT, LENGTH] = [4000, 10_000, 16_384]

const runs = fc.record({
  taps: fc.integer({ min: 4, max: 32 }).map((n) => n * 4),
  filters: fc.integer({ min: 1, max: 30 }),
  start: fc.nat(29),
  step: fc.nat(29),
  inputStep: fc.nat(20),
  outputStep: fc.integer({ min: 1, max: 6 }),
  count: fc.integer({ min: 1, max: 200 }),
  offset: fc.nat(7),
})

test('the vector kernel gives the same as the plain loop, and writes nothing else', () => {
  const [vector, plain] = [firMachine(), plainMachine()]
  expect(vector.memory.length).toBe(LENGTH)
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
      ] as Parameters<typeof vector.run>
      for (let i = 0; i < LENGTH; i++) vector.memory[i] = next() - 0.5
      plain.memory.set(vector.memory)
      plain.run(...args)
      vector.run(...args)
      let most = 0
      for (let i = 0; i < LENGTH; i++) most = Math.max(most, Math.abs(vector.memory[i]! - plain.memory[i]!))
      expect(most).toBeLessThan(2e-6)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['with vectors', firMachine],
  ['without', plainMachine],
])('the memory grows, keeps its content, and is the one that the kernel uses, %s', (_how, make) => {
  const machine = make()
  machine.memory.fill(0.5, 0, 32)
  machine.grow(100_000)
  expect(machine.memory.length).toBeGreaterThanOrEqual(100_000)
  expect([machine.memory[31], machine.memory[32], machine.memory[99_999]]).toEqual([0.5, 0, 0])
  machine.run(4 * 99_999, 4 * 100_000, 4, 4 * 16, 4, 0, 0, 64, 64, 64)
  expect(machine.memory[99_999]).toBe(4)
  const { memory } = machine
  machine.grow(10)
  expect(machine.memory).toBe(memory)
})

test('without WebAssembly the plain loop is used', () => {
  const { WebAssembly } = globalThis as { WebAssembly?: unknown }
  Reflect.deleteProperty(globalThis, 'WebAssembly')
  try {
    const machine = firMachine()
    machine.memory.fill(0.5, 0, 32)
    machine.run(4 * 40, 4 * 41, 4, 4 * 16, 4, 0, 0, 64, 64, 64)
    expect(machine.memory[40]).toBe(4)
  } finally {
    Object.defineProperty(globalThis, 'WebAssembly', {
      value: WebAssembly,
      configurable: true,
      writable: true,
    })
  }
})
