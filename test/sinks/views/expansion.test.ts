import { expect, test } from 'vitest'
import { makeWavHeader } from '../../../src/format/wavHeader.ts'
import { pcmFormat, VirtualFile } from '../../../src/index.ts'

/** A megabyte that says of itself that it has 63 samples a second. */
async function slowFile(bytes = 1_000_000) {
  const format = pcmFormat({ sampleRate: 63, encoding: 'u8' })
  const samples = Buffer.alloc(bytes, 128)
  return VirtualFile.from(Buffer.concat([makeWavHeader(format, { dataBytes: bytes }), samples]))
}

test('a small file does not become an array of gigabytes', async () => {
  await using file = await slowFile()
  const full = expect.objectContaining({
    code: 'ERR_WAVESPOOL_FULL',
    message: expect.stringMatching(
      /at 63 Hz would become 1015873016 at 16000 Hz.*lower sampleRate.*maxBytes/,
    ),
  })
  const before = process.memoryUsage().arrayBuffers
  await expect(file.toFloat32()).rejects.toEqual(full)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6)
  await expect(file.toInt16()).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_FULL' })
  expect((await file.toInt16({ sampleRate: 500 })).length).toBe(Math.round((1e6 * 500) / 63))
})

test('maxBytes allows more, or less', async () => {
  await using file = await slowFile(10_000)
  const samples = Math.round((10_000 * 16_000) / 63)
  expect((await file.toFloat32({ maxBytes: samples * 4 })).length).toBe(samples)
  await expect(file.toFloat32({ maxBytes: samples * 4 - 1 })).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_FULL',
  })
  await expect(async () => file.toFloat32({ maxBytes: -1 })).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_ARG_RANGE',
  })
})
