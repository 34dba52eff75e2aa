/*
 * The inner loop of the resampler as a WebAssembly module of 365 bytes, put together instruction by instruction, so
 * that nothing has to be built or fetched: `plainKernel` of firKernel.ts with vectors of four floats.
 */

/** Bytes, in the order in which they are written. */
type Code = readonly (number | Code)[]

// Instructions of the WebAssembly core specification, chapter 5 ("Binary format"), with their operands.
const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const setAndKeep = (local: number) => [0x22, local]
const constant = (value: number) => [0x41, signedLeb(value)]
const [add, subtract, isBelow, isZero] = [0x6a, 0x6b, 0x49, 0x45]
const loop = (body: Code) => [0x03, 0x40, body, 0x0b]
const repeatIf = [0x0d, 0]
const when = (body: Code) => [0x04, 0x40, body, 0x0b]
const loadVector = (offset: number) => [0xfd, 0x00, 2, offset]
const zeroVector = [0xfd, 0x0c, new Array(16).fill(0)]
const addVectors = [0xfd, 0xe4, 0x01]
const multiplyVectors = [0xfd, 0xe6, 0x01]
const lane = (index: number) => [0xfd, 0x1f, index]
const addFloats = 0x92
const storeFloat = [0x38, 2, 0]

const [I32, V128] = [0x7f, 0x7b]

// Locals: the parameters, in the order of FirKernel's, and what the loops need.
const [output, outputEnd, outputStep, input, inputStep] = [0, 1, 2, 3, 4]
const [filter, filterStep, filterBytes, filtersEnd, filtersBytes] = [5, 6, 7, 8, 9]
const [sample, tap, tapsEnd] = [10, 11, 12]
/** four sums of four, so that no addition waits for the one before it */
const sums = [13, 14, 15, 16] as const
const [a, b, c, d] = sums

const oneOutputAfterAnother = loop([
  [get(input), set(sample)],
  [get(filter), setAndKeep(tap), get(filterBytes), add, set(tapsEnd)],
  sums.map((sum) => [zeroVector, set(sum)]),
  loop([
    sums.map((sum, i) => [
      [get(sample), loadVector(i * 16), get(tap), loadVector(i * 16), multiplyVectors],
      [get(sum), addVectors, set(sum)],
    ]),
    [get(sample), constant(64), add, set(sample)],
    [get(tap), constant(64), add, setAndKeep(tap), get(tapsEnd), isBelow, repeatIf],
  ]),
  [get(a), get(b), addVectors, get(c), get(d), addVectors, addVectors, set(a)],
  [get(output), get(a), lane(0), get(a), lane(1), addFloats, get(a), lane(2), get(a), lane(3), addFloats],
  [addFloats, storeFloat],
  [get(input), get(inputStep), add, set(input)],
  [get(filter), get(filterStep), add, setAndKeep(filter), get(filtersEnd), isBelow, isZero],
  when([
    [get(filter), get(filtersBytes), subtract, set(filter)],
    [get(input), constant(4), add, set(input)],
  ]),
  [get(output), get(outputStep), add, setAndKeep(output), get(outputEnd), isBelow, repeatIf],
])

/** A module that takes `memory` from the import with the empty name and gives `run`. */
export function firModule(): Uint8Array<ArrayBuffer> {
  const locals = [2, [3, I32], [4, V128]]
  return bytes([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    section(1, [1, 0x60, 10, new Array(10).fill(I32), 0]), // one type: ten integers, no result
    section(2, [1, name(''), name('memory'), 0x02, 0, 1]), // a memory of one page or more
    section(3, [1, 0]), // one function of that type
    section(7, [1, name('run'), 0x00, 0]),
    section(10, [1, sized([locals, oneOutputAfterAnother, 0x0b])]),
  ])
}

function section(id: number, content: Code): Code {
  return [id, sized(content)]
}

function sized(content: Code): Code {
  return [unsignedLeb(bytes(content).length), content]
}

function name(text: string): Code {
  return sized([...Buffer.from(text)])
}

function bytes(code: Code): Uint8Array<ArrayBuffer> {
  return Uint8Array.from((code as unknown[]).flat(Number.POSITIVE_INFINITY) as number[])
}

// Numbers in the encoding LEB128: seven bits a byte, the lowest first; the eighth says that more follow.
function unsignedLeb(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, unsignedLeb(value >> 7)]
}

function signedLeb(value: number): Code {
  const [low, rest] = [value & 0x7f, value >> 7]
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)
  return isLast ? [low] : [low | 0x80, signedLeb(rest)]
}
