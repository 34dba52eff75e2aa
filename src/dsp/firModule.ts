/*
 * The inner loop of the resampler as a WebAssembly module of 400 bytes, put together instruction by instruction, so
 * that nothing has to be built or fetched: the loop of `plainKernel` in firKernel.ts, with vectors of four floats.
 */

// Opcodes of the WebAssembly core specification, chapter 5 ("Binary format"), with their operands.
const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
const constant = (value: number) => [0x41, ...signedLeb(value)]
const add = [0x6a]
const subtract = [0x6b]
const isBelow = [0x49]
const loop = (...body: number[][]) => [0x03, 0x40, ...body.flat(), 0x0b]
const when = (...body: number[][]) => [0x04, 0x40, ...body.flat(), 0x0b]
const repeatIf = [0x0d, 0]
const isZero = [0x45]
const loadVector = (offset: number) => [0xfd, 0x00, 2, offset]
const zeroVector = [0xfd, 0x0c, ...new Array(16).fill(0)]
const addVectors = [0xfd, 0xe4, 0x01]
const multiplyVectors = [0xfd, 0xe6, 0x01]
const lane = (index: number) => [0xfd, 0x1f, index]
const addFloats = [0x92]
const storeFloat = [0x38, 2, 0]

function signedLeb(value: number): number[] {
  const low = value & 0x7f
  const rest = value >> 7
  const isDone = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)
  return isDone ? [low] : [low | 0x80, ...signedLeb(rest)]
}

/** A module that takes `memory` from the import with the empty name and gives `run`. */
export function firModule(): Uint8Array<ArrayBuffer> {
  const [I32, V128] = [0x7f, 0x7b]
  const [
    output,
    outputEnd,
    outputStep,
    input,
    inputStep,
    filter,
    filterStep,
    filterBytes,
    filtersEnd,
    filtersBytes,
  ] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  const [sample, tap, tapsEnd] = [10, 11, 12]
  /** four sums of four, so that no addition waits for the one before */
  const sums = [13, 14, 15, 16]
  const multiplyAndAdd = sums.map((sum, i) =>
    [
      get(sum),
      get(sample),
      loadVector(i * 16),
      get(tap),
      loadVector(i * 16),
      multiplyVectors,
      addVectors,
      set(sum),
    ].flat(),
  )
  const body = loop(
    [get(input), set(sample), get(filter), tee(tap), get(filterBytes), add, set(tapsEnd)].flat(),
    ...sums.map((sum) => [...zeroVector, ...set(sum)]),
    loop(
      ...multiplyAndAdd,
      [get(sample), constant(64), add, set(sample)].flat(),
      [get(tap), constant(64), add, tee(tap), get(tapsEnd), isBelow, repeatIf].flat(),
    ),
    [get(13), get(14), addVectors, get(15), get(16), addVectors, addVectors, set(13)].flat(),
    [get(output), get(13), lane(0), get(13), lane(1), addFloats].flat(),
    [get(13), lane(2), get(13), lane(3), addFloats, addFloats, storeFloat].flat(),
    [get(input), get(inputStep), add, set(input)].flat(),
    [get(filter), get(filterStep), add, tee(filter), get(filtersEnd), isBelow, isZero].flat(),
    when(
      [get(filter), get(filtersBytes), subtract, set(filter)].flat(),
      [get(input), constant(4), add, set(input)].flat(),
    ),
    [get(output), get(outputStep), add, tee(output), get(outputEnd), isBelow, repeatIf].flat(),
  )
  const locals = [2, 3, I32, 4, V128]
  const code = [...locals, ...body, 0x0b]
  const name = (text: string) => [text.length, ...Buffer.from(text)]
  const section = (id: number, content: number[]) => [id, ...unsignedLeb(content.length), ...content]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 10, ...new Array(10).fill(I32), 0]), // one type: ten integers, no result
    ...section(2, [1, ...name(''), ...name('memory'), 0x02, 0, 1]), // a memory of one page or more
    ...section(3, [1, 0]), // one function of that type
    ...section(7, [1, ...name('run'), 0x00, 0]),
    ...section(10, [1, ...unsignedLeb(code.length), ...code]),
  ])
}

function unsignedLeb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsignedLeb(value >> 7)]
}
