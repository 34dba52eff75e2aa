import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeSamples } from '../../../src/dsp/decode.ts'
import { VoiceFrames } from '../../../src/dsp/voice/frames.ts'
import { type PcmFormat, pcmFormat } from '../../../src/format/pcmFormat.ts'
import { allEncodings, chunkings, pattern } from '../../format/arbitraries.ts'

interface Heard {
  samples: number[]
  /** the frame of the stream at which each was complete */
  at: number
}

/** The frames that a detector gets from these chunks of whole frames. */
function listen(
  format: PcmFormat,
  detector: { sampleRate: number; frameSamples: number },
  chunks: Uint8Array[],
): Heard[] {
  const voice = new VoiceFrames(format, detector)
  const heard: Heard[] = []
  let at = 0
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + voice.wanted * format.bytesPerFrame)
      from += part.length
      at += part.length / format.bytesPerFrame
      const frame = voice.push(part)
      if (frame !== undefined) heard.push({ samples: [...frame], at })
    }
  }
  return heard
}

const setting = fc
  .record({
    sampleRate: fc.constantFrom(8000, 11_025, 16_000, 44_100, 48_000),
    channels: fc.constantFrom(1, 2, 3),
    encoding: fc.constantFrom(...allEncodings.filter((encoding) => !encoding.startsWith('f'))),
    heardRate: fc.constantFrom(8000, 16_000, 48_000),
    frameSamples: fc.integer({ min: 7, max: 40 }),
    frames: fc.nat(300),
  })
  .map(({ frames, heardRate, frameSamples, ...format }) => {
    const checked = pcmFormat(format)
    const bytes = pattern(frames * checked.bytesPerFrame)
    return { format: checked, detector: { sampleRate: heardRate, frameSamples }, bytes }
  })

test('each sample is the mean of the stream over its time and over all channels', () => {
  fc.assert(
    fc.property(setting, ({ format, detector, bytes }) => {
      const samples = decodeSamples(bytes, format)
      const mono = Array.from({ length: samples.length / format.channels }, (_, frame) => {
        const channels = samples.subarray(frame * format.channels, (frame + 1) * format.channels)
        return channels.reduce((sum, sample) => sum + sample, 0) / format.channels
      })
      /** the sum of the stream up to a time, in samples of the detector */
      const upTo = (time: number) => {
        const place = (time * format.sampleRate) / detector.sampleRate
        const whole = Math.floor(place + 1e-9)
        return (
          mono.slice(0, whole).reduce((sum, sample) => sum + sample, 0) + (mono[whole] ?? 0) * (place - whole)
        )
      }
      let time = 0
      for (const { samples, at } of listen(format, detector, [bytes])) {
        for (const sample of samples) {
          const mean = ((upTo(time + 1) - upTo(time)) * detector.sampleRate) / format.sampleRate
          expect(Math.abs(sample - mean)).toBeLessThan(1e-4)
          time++
        }
        expect(at).toBe(Math.ceil((time * format.sampleRate) / detector.sampleRate - 1e-9))
      }
      const hearable = Math.floor((mono.length * detector.sampleRate) / format.sampleRate + 1e-9)
      expect(hearable - time).toBeLessThan(detector.frameSamples)
    }),
    { numRuns: 150 },
  )
})

test('every chunking gives the same frames at the same places', () => {
  const chunked = setting.chain(({ format, detector, bytes }) => {
    const units = new Uint8Array(bytes.length / format.bytesPerFrame)
    return chunkings(units).map((pieces) => {
      let at = 0
      const chunks = pieces.map((piece) => {
        const end = at + piece.length * format.bytesPerFrame
        const chunk = bytes.subarray(at, end)
        at = end
        return chunk
      })
      return { format, detector, bytes, chunks }
    })
  })
  fc.assert(
    fc.property(chunked, ({ format, detector, bytes, chunks }) => {
      expect(listen(format, detector, chunks)).toEqual(listen(format, detector, [bytes]))
    }),
    { numRuns: 300 },
  )
})
