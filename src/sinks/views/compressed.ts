import { basename, extname } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { codecFiles, type EncodeOptions } from '../../codec/codecs.ts'
import { encode } from '../../codec/encode.ts'
import { WavespoolError } from '../../errors.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { MemoryStorage } from '../../storage/memoryStorage.ts'
import { Snapshot } from '../recording/snapshot.ts'

/** A moment of a recording, and what to call it. */
export interface NamedSnapshot {
  readonly name: string
  readonly type: string
  readonly snapshot: Snapshot
}

/**
 * Samples as a compressed file in memory, with the name and the media type of its codec: `memo.wav`
 * becomes `memo.mp3`. It is encoded as it is read, 64 KiB at a time.
 *
 * @param format what the samples are; undefined where nothing says it
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option, and for a format that the codec cannot hold
 * @throws {WavespoolError} `ERR_WAVESPOOL_WAV` without a format, `ERR_WAVESPOOL_CODEC` without the codec's library
 */
export async function compress(
  samples: Readable,
  name: string,
  format: PcmFormat | undefined,
  options: EncodeOptions,
): Promise<NamedSnapshot> {
  if (format === undefined) {
    throw new WavespoolError(
      'ERR_WAVESPOOL_WAV',
      `${name} cannot be encoded: it holds no WAV file in an encoding that is known, and nothing says what its samples are`,
    )
  }
  const stage = encode(format, options)
  const memory = new MemoryStorage()
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      try {
        memory.append([chunk])
        callback()
      } catch (error) {
        callback(error as Error)
      }
    },
  })
  await pipeline(samples, stage, sink)
  if (stage.head) memory.write(stage.head, 0)
  const { extension, type } = codecFiles[options.codec]
  const { size } = memory
  const whole = { header: new Uint8Array(0), end: size, pad: 0, samples: { start: 0, end: size } } as const
  return {
    name: basename(name, extname(name)) + extension,
    type,
    snapshot: new Snapshot(memory, whole, (error) => error),
  }
}
