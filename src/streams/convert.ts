import { Converter, type ConvertOptions } from '../dsp/converter.ts'
import { type PcmFormat, requireFormat } from '../format/pcmFormat.ts'
import { WholeFrames } from '../format/wholeFrames.ts'
import { type Ports, pcmPort } from '../neighbours.ts'
import { type Kernel, type Output, Stage } from './stage.ts'

export type { ConvertOptions }

/**
 * A Transform from one PCM format into another: encoding, channels and sample rate in one step. Between equal formats the
 * bytes pass as they are.
 *
 * - **Encoding.** Integers are rounded to the nearest, a half upwards, and cut off at the ends of their range; between
 *   them and out of G.711 they equal what `sox -D` gives bit for bit. Of floats sox rounds twice and we once: at most
 *   one unit lies between. Floats stay exact, where sox keeps 24 of f32le's bits and 32 of f64le's, and may be above 1.
 *   µ-law and A-law follow the decision values of ITU-T G.711; sox, which rounds to 14 and 13 bits first, ends in the
 *   neighbouring code for 510 and 1,020 of the 65,536 samples of 16 bits.
 * - **Dither** by `{ dither: 'tpdf' }`, where u8, s16le, s24le or s32le get fewer bits than there are; the same in
 *   every run.
 * - **Channels.** One is picked by `{ channel }`, from 0. Else mono goes into every channel as it is; two to six are
 *   mixed by ITU-R BS.775 as stereo, 3/0, quadraphony, 5.0 and 5.1, with all gains divided so that the sum does not
 *   clip: stereo becomes mono by its mean; more become mono by their mean. Six microphones are no 5.1,
 *   whose fourth channel is left out of a mix: pick one.
 * - **Rate.** By a windowed sinc in 32-bit floats: flat to 85 % of the band that both rates have, which is 6.8 kHz for
 *   16 kHz, and 100 dB down from 105 % of it. In time with the input, and `round(frames × to / from)` frames in all.
 *   The rates may be 256 times apart.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong format or option, and for formats with no way between
 *
 * @example
 * const phone = pcmFormat({ sampleRate: 8000, encoding: 'mulaw' })
 * socket.pipe(convert(phone, format)).pipe(wavHeader(format)).pipe(memo)
 */
export function convert(from: PcmFormat, to: PcmFormat, options: ConvertOptions = {}): Stage {
  const source = requireFormat(from, 'convert()')
  const target = requireFormat(to, 'convert()', 'the PCM format that comes out second')
  return new Stage(new ConvertKernel(source, target, options))
}

export class ConvertKernel implements Kernel {
  readonly ports: Ports
  readonly #frames: WholeFrames
  readonly #converter: Converter

  constructor(from: PcmFormat, to: PcmFormat, options: ConvertOptions) {
    this.ports = { takes: pcmPort('convert()', from), gives: pcmPort('convert()', to) }
    this.#frames = new WholeFrames(from)
    this.#converter = new Converter(from, to, options, 'convert()')
  }

  push(bytes: Uint8Array, out: Output): void {
    if (this.#converter.isIdentity) this.#frames.push(bytes, out)
    else this.#frames.push(bytes, { push: (frames) => putOut(this.#converter.convert(frames), out) })
  }

  flush(out: Output): void {
    putOut(this.#converter.finish(), out)
    this.#frames.flush()
  }
}

function putOut(bytes: Uint8Array, out: Output): void {
  if (bytes.length > 0) out.push(bytes)
}
