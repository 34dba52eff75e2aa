import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WavespoolError } from '../../src/errors.ts'
import { type CaptureMessage, Decoder, encode, errorOf, faultOf } from '../../src/sources/capture/protocol.ts'

const message: fc.Arbitrary<CaptureMessage> = fc.oneof(
  fc
    .uint8Array({ maxLength: 300 })
    .map((bytes): CaptureMessage => ({ type: 'pcm', bytes: Buffer.from(bytes) })),
  fc
    .record({ frames: fc.nat() })
    .map(({ frames }): CaptureMessage => ({ type: 'gap', body: { frames, cause: 'queue' } })),
  fc
    .string()
    .map((message): CaptureMessage => ({ type: 'error', body: { code: 'ERR_WAVESPOOL_DEVICE', message } })),
  fc.constant<CaptureMessage>({ type: 'end', body: {} }),
)

describe('the capture protocol', () => {
  test('decodes messages in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (sent, cuts) => {
          const bytes = Buffer.concat(sent.map(encode))
          const decoder = new Decoder()
          const received: CaptureMessage[] = []
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const cut = cuts[i % cuts.length]!
            received.push(...decoder.push(bytes.subarray(at, at + cut)))
            at += cut
          }
          expect(received).toEqual(sent)
          expect(decoder.isMidPacket).toBe(false)
        },
      ),
    )
  })

  test('knows that a message is unfinished', () => {
    const decoder = new Decoder()
    decoder.push(encode({ type: 'pcm', bytes: Buffer.alloc(10) }).subarray(0, 9))
    expect(decoder.isMidPacket).toBe(true)
  })

  test('refuses bytes that no capture child writes', () => {
    expect(() => new Decoder().push(Buffer.from('PortAudio V19.7.0'))).toThrow(RangeError)
    expect(() => new Decoder().push(Buffer.from([99, 0, 0, 0, 0, 0]))).toThrow(RangeError)
  })

  test('carries an error with its code and its cause', () => {
    const native = Object.assign(new RangeError('Invalid sample rate'), { code: -9997 })
    for (const [error, code] of [
      [new WavespoolError('ERR_WAVESPOOL_DEVICE', 'no such rate', { cause: native }), 'ERR_WAVESPOOL_DEVICE'],
      [native, 'ERR_WAVESPOOL_CAPTURE'],
    ] as const) {
      const [message] = new Decoder().push(encode({ type: 'error', body: faultOf(error) }))
      const received = errorOf((message as Extract<CaptureMessage, { type: 'error' }>).body)
      expect(received).toBeInstanceOf(WavespoolError)
      expect(received).toMatchObject({
        code,
        cause: { name: 'RangeError', code: -9997, message: 'Invalid sample rate' },
      })
    }
  })
})
