// Just enough of ONNX's protobuf (onnx.proto3 of the ONNX project) to write a model by hand.

/** @param {number} field @param {number | bigint} value */
const varint = (field, value) => Buffer.concat([number((field << 3) | 0), number(value)])
/** @param {number} field @param {Uint8Array | string} value */
const bytes = (field, value) => {
  const body = Buffer.from(/** @type {string} */ (value))
  return Buffer.concat([number((field << 3) | 2), number(body.length), body])
}
/** @param {number | bigint} value */
function number(value) {
  const out = []
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    const low = Number(rest & 127n)
    if (rest < 128n) return Buffer.from([...out, low])
    out.push(low | 128)
  }
}

const FLOAT = 1
const INT64 = 7

/** A node of the graph. @param {string} op @param {string[]} inputs @param {string} output */
const node = (op, inputs, output) =>
  bytes(1, Buffer.concat([...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op)]))

/** A constant. @param {string} name @param {number[]} shape @param {Float32Array | BigInt64Array} values */
const constant = (name, shape, values) =>
  bytes(
    5,
    Buffer.concat([
      ...shape.map((size) => varint(1, size)),
      varint(2, values instanceof Float32Array ? FLOAT : INT64),
      bytes(8, name),
      bytes(9, new Uint8Array(values.buffer)),
    ]),
  )

/** An input (11) or output (12) whose sizes are named. @param {11 | 12} field @param {string} name @param {string[]} shape @param {number} [type] */
const value = (field, name, shape, type = FLOAT) => {
  const dimensions = shape.map((size) => bytes(1, bytes(2, size)))
  const tensor = Buffer.concat([varint(1, type), bytes(2, Buffer.concat(dimensions))])
  return bytes(field, Buffer.concat([bytes(1, name), bytes(2, bytes(1, tensor))]))
}

/**
 * A model that hears numbers: for each `block` samples the sum of their 16-bit values modulo 256, as the token that
 * is most likely there. One wrong bit in one sample is another number.
 *
 * @param {number} block
 */
export function checksumModel(block) {
  const floats = (/** @type {number[]} */ ...values) => Float32Array.from(values)
  const graph = Buffer.concat([
    node('Mul', ['input_values', 'full'], 'samples'),
    node('Reshape', ['samples', 'blocks'], 'blocked'),
    node('ReduceSum', ['blocked', 'last'], 'sums'),
    node('Div', ['sums', 'modulus'], 'quotients'),
    node('Floor', ['quotients'], 'wholes'),
    node('Mul', ['wholes', 'modulus'], 'multiples'),
    node('Sub', ['sums', 'multiples'], 'rests'),
    node('Sub', ['rests', 'tokens'], 'differences'),
    node('Abs', ['differences'], 'distances'),
    node('Neg', ['distances'], 'logits'),
    bytes(2, 'checksums'),
    constant('full', [], floats(32_768)),
    constant('blocks', [3], BigInt64Array.of(1n, -1n, BigInt(block))),
    constant('last', [1], BigInt64Array.of(2n)),
    constant('modulus', [], floats(256)),
    constant('tokens', [256], floats(...Array(256).keys())),
    value(11, 'input_values', ['batch', 'samples']),
    value(12, 'logits', ['batch', 'blocks', 'tokens']),
  ])
  const opset = bytes(8, varint(2, 13))
  return Buffer.concat([varint(1, 8), bytes(7, graph), opset]) // IR version 8
}

/** The text that it recognises: a checksum of each block. @param {Int16Array} samples @param {number} block */
export function checksums(samples, block) {
  const numbers = []
  for (let at = 0; at < samples.length; at += block) {
    const sum = samples.subarray(at, at + block).reduce((total, sample) => total + sample, 0)
    numbers.push(((sum % 256) + 256) % 256)
  }
  return numbers.join(' ')
}
