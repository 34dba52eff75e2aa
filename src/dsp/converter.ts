import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { checkChannelMask } from '../format/channelMask.ts'
import { MAX_CHANNELS, type PcmFormat, pcmFormat } from '../format/pcmFormat.ts'
import { checkOptions } from '../options.ts'
import { decodeSamples } from './decode.ts'
import { Dither } from './dither.ts'
import { encodeSamples } from './encode.ts'
import { type MixMatrix, mixChannels, mixMatrix, pickChannel, spreadChannel } from './mix.ts'
import { checkRates, Resampler } from './resampling/resampler.ts'
import { workbench } from './resampling/workbench.ts'
import { type Samples, Scratch } from './scratch.ts'

/** The options of `convert()`. */
export interface ConvertOptions {
  /** the one channel to take, from 0, where the target has one; without it all are mixed */
  channel?: number
  /** noise that hides the steps where samples get fewer bits: `'none'` (default) or `'tpdf'`, triangular */
  dither?: 'tpdf' | 'none'
  /**
   * dwChannelMask: the loudspeakers that the channels belong to where they are mixed, 0 for none; without it the usual ones
   * of so many channels
   */
  channelMask?: number | undefined
}

/** samples that are worked on at once: few enough to stay in the processor's cache */
const BLOCK = 4096

// A call is done in one go, so that one block of each kind is enough for all converters.
const floats = new Scratch(Float32Array)
const doubles = new Scratch(Float64Array)
const mixes = new Scratch(Float64Array)

/**
 * Whole frames of one format as frames of another: one channel picked, or all of them mixed, then the rate, then
 * dither and encoding. Samples are 32-bit floats where those hold the encoding exactly, and 64-bit ones from where
 * they are mixed or get dither; the resampler works in 32 bits.
 */
export class Converter {
  /** whether the bytes stay as they are */
  readonly isIdentity: boolean
  readonly #channel: number | undefined
  /** the formats between which samples are computed: behind the pick of one channel, before its spreading to several */
  readonly #from: PcmFormat
  readonly #to: PcmFormat
  readonly #isComputed: boolean
  /** whether a sample that is no number would go into others */
  readonly #isSpread: boolean
  readonly #outer: { from: PcmFormat; to: PcmFormat }
  readonly #matrix: MixMatrix | undefined
  readonly #dither: Dither | undefined
  readonly #blockFrames: number
  /** the decoded samples */
  readonly #decoded: Scratch<Float32Array> | Scratch<Float64Array>
  readonly #resampler: Resampler | undefined

  /** @throws {ArgumentTypeError | ArgumentRangeError} for wrong options, and for formats without a way between them */
  constructor(from: PcmFormat, to: PcmFormat, options: ConvertOptions, caller: string) {
    checkConvertOptions(from, to, options, caller)
    const inputs = options.channel === undefined ? from.channels : 1
    const outputs = inputs === 1 ? 1 : to.channels
    this.#outer = { from, to }
    this.#channel = options.channel
    this.#from = inputs === from.channels ? from : pcmFormat({ ...from, channels: inputs })
    this.#to = outputs === to.channels ? to : pcmFormat({ ...to, channels: outputs })
    if (inputs !== outputs) this.#matrix = mixMatrix(inputs, outputs, caller, options.channelMask)
    if (from.sampleRate !== to.sampleRate) {
      checkRates(from.sampleRate, to.sampleRate, caller)
      this.#resampler = new Resampler(from.sampleRate, to.sampleRate, outputs)
    }
    const isRecoded = from.encoding !== to.encoding
    const hasNewValues = this.#resampler !== undefined || this.#matrix !== undefined
    this.#isComputed = isRecoded || hasNewValues
    this.#isSpread = hasNewValues && /^f/.test(from.encoding)
    this.isIdentity = !this.#isComputed && from.channels === to.channels
    if (options.dither === 'tpdf') this.#dither = Dither.between(from, to, hasNewValues)
    const blockFrames = Math.max(1, Math.floor(BLOCK / Math.max(inputs, outputs)))
    this.#blockFrames = Math.min(blockFrames, this.#resampler?.blockFrames ?? blockFrames)
    this.#decoded = /^(s32|f64)/.test(from.encoding) ? doubles : floats
  }

  /** Takes whole frames, and returns those that are complete by them. */
  convert(bytes: Uint8Array): Uint8Array {
    const { from, to } = this.#outer
    const picked =
      from.channels === this.#from.channels ? bytes : pickChannel(bytes, this.#channel ?? 0, from)
    const computed = this.#isComputed ? this.#compute(picked) : picked
    return to.channels === this.#to.channels ? computed : spreadChannel(computed, to)
  }

  /** The rest that the resampler holds at the end. */
  finish(): Uint8Array {
    const samples = this.#resampler?.drain() ?? new Float32Array(0)
    const out = Buffer.allocUnsafe(samples.length * this.#to.bytesPerSample)
    this.#encode(samples, out)
    return this.#outer.to.channels === this.#to.channels ? out : spreadChannel(out, this.#outer.to)
  }

  #compute(bytes: Uint8Array): Uint8Array {
    const [from, to] = [this.#from, this.#to]
    const frames = bytes.length / from.bytesPerFrame
    const out = Buffer.allocUnsafe((this.#resampler?.framesFor(frames) ?? frames) * to.bytesPerFrame)
    const blockBytes = this.#blockFrames * from.bytesPerFrame
    if (bytes.length <= blockBytes) {
      this.#encode(this.#computeBlock(bytes), out)
      return out
    }
    let at = 0
    for (let start = 0; start < bytes.length; start += blockBytes) {
      const samples = this.#computeBlock(bytes.subarray(start, start + blockBytes))
      this.#encode(samples, out.subarray(at))
      at += samples.length * to.bytesPerSample
    }
    return out
  }

  #computeBlock(bytes: Uint8Array): Samples {
    const count = bytes.length / this.#from.bytesPerSample
    let samples: Samples = decodeSamples<Samples>(bytes, this.#from, this.#decoded.take(count))
    if (this.#isSpread) makeFinite(samples)
    if (this.#matrix) {
      const mixed = mixes.take((count / this.#from.channels) * this.#to.channels)
      mixChannels(samples, this.#matrix, mixed)
      samples = mixed
    }
    return this.#resampler?.process(samples) ?? samples
  }

  #encode(samples: Samples, out: Uint8Array): void {
    if (this.#dither === undefined) {
      const isDone =
        this.#resampler !== undefined &&
        this.#to.encoding === 's16le' &&
        workbench().encodeInt16(samples, out)
      if (!isDone) encodeSamples(samples, this.#to, out)
    } else {
      const dithered = doubles.take(samples.length)
      dithered.set(samples)
      this.#dither.addTo(dithered)
      encodeSamples(dithered, this.#to, out)
    }
  }
}

/** Replaces NaN by silence and infinite floats by full scale, before a filter spreads them. */
function makeFinite(samples: Samples): void {
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!
    if (sample - sample !== 0) samples[i] = Number.isNaN(sample) ? 0 : Math.sign(sample)
  }
}

/** @param from undefined where it is not known yet */
export function checkConvertOptions(
  from: PcmFormat | undefined,
  to: PcmFormat,
  options: ConvertOptions,
  caller: string,
): void {
  checkOptions(options, ['channel', 'dither', 'channelMask'], caller)
  const { channel, dither = 'none', channelMask } = options
  if (from !== undefined) checkChannelMask(channelMask, from.channels, caller)
  if (dither !== 'none' && dither !== 'tpdf') {
    throw new ArgumentTypeError(`${caller}: dither must be 'none' or 'tpdf', got ${show(dither)}`)
  }
  if (channel === undefined) return
  if (typeof channel !== 'number') {
    throw new ArgumentTypeError(`${caller}: channel must be a number, got ${show(channel)}`)
  }
  const last = from === undefined ? MAX_CHANNELS - 1 : from.channels - 1
  if (!Number.isInteger(channel) || channel < 0 || channel > last) {
    throw new ArgumentRangeError(
      `${caller}: channel must be a whole number from 0 to ${last}, as the first is 0; got ${channel}`,
    )
  }
  if (to.channels !== 1) {
    throw new ArgumentRangeError(
      `${caller}: a picked channel is one, but the target has ${to.channels}; ask for channels: 1, or leave channel out`,
    )
  }
}
