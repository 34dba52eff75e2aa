// The input of a local engine, as the bytes of the WAV file that it came from.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Samples from −1 to 1. @param {Float32Array} samples */
export function pcmOfFloats(samples) {
  assert.ok(samples instanceof Float32Array, 'a Float32Array')
  const values = samples.map((sample) => sample * 32_768)
  assert.ok(values.every(Number.isInteger), 'samples of 16 bits')
  return new Uint8Array(Int16Array.from(values).buffer)
}

/** Samples of 16 bits. @param {Int16Array | Buffer} samples */
export const pcmOfInts = (samples) => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)

/** A folder for one run. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'wavespool-consumer-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
