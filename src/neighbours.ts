import { WavespoolError } from './errors.ts'
import type { PcmFormat } from './format/pcmFormat.ts'

/** One stream gives the next one samples, packets of samples for a timeline, or the bytes of a file. */
export type Content =
  | { readonly kind: 'pcm' | 'items'; readonly format: PcmFormat }
  /**
   * `isMade` by the stage that gives it, of samples that could go another way; `head()` returns the final first bytes of
   * the file, once it has ended, where they were not known before
   */
  | {
      readonly kind: 'file'
      readonly container: string
      readonly isMade?: boolean
      readonly head?: (() => Uint8Array | undefined) | undefined
    }

/** The input or the output of a stream: the name of its maker, and its content. */
export class Port {
  readonly name: string
  #content: Content | undefined
  #listeners: ((content: Content) => void)[] = []

  /** @param content undefined where only the data will tell */
  constructor(name: string, content?: Content) {
    this.name = name
    this.#content = content
  }

  get content(): Content | undefined {
    return this.#content
  }

  /** Sets the content, before any of it passes. A second call has no effect. */
  know(content: Content): void {
    if (this.#content !== undefined) return
    this.#content = content
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener(content)
  }

  /** Calls back at once where the content is known, else as soon as it is. */
  whenKnown(listener: (content: Content) => void): void {
    if (this.#content !== undefined) listener(this.#content)
    else this.#listeners.push(listener)
  }
}

/** The input and the output of a stream, as far as they are known; those of a foreign stream are not. */
export interface Ports {
  readonly takes?: Port | undefined
  readonly gives?: Port | undefined
}

/** Under this key a stream keeps its {@link Ports}; the same one in every copy of this module. */
export const ports: unique symbol = Symbol.for('wavespool.ports') as never

export function pcmPort(name: string, format: PcmFormat): Port {
  return new Port(name, { kind: 'pcm', format })
}

/** A WAV file that is made of samples. */
export const wavOfSamples: Content = { kind: 'file', container: 'WAV', isMade: true }

/** Of a stage that makes a file of samples. */
export function filePort(name: string, container: string, head?: () => Uint8Array | undefined): Port {
  return new Port(name, { kind: 'file', container, isMade: true, head })
}

/** The ports of a stream whose output has the format of its input. */
export function passing(name: string, format: PcmFormat): Ports {
  const port = pcmPort(name, format)
  return { takes: port, gives: port }
}

export function portsOf(stream: unknown): Ports {
  return (stream as { [ports]?: Ports } | null | undefined)?.[ports] ?? {}
}

/** The methods of a stream that tell which source is piped into it. */
interface Destination {
  on(event: 'unpipe', listener: (source: unknown) => void): unknown
  off(event: 'unpipe', listener: (source: unknown) => void): unknown
  destroy(error: Error): unknown
}

/**
 * Fails a stream at once, with `ERR_WAVESPOOL_FORMAT`, when the stream piped into it is known to have another format
 * than it takes. It does so by destroying it, as a `pipeline()` closes the microphone in front of it only then.
 */
export function checkPipe(source: unknown, destination: Destination, takes: Port | undefined): void {
  const { gives } = portsOf(source)
  if (gives === undefined || takes === undefined) return
  if (gives.content !== undefined) {
    failOn(disagreement(gives, takes), destination)
    return
  }
  let isPiped = true
  const onUnpipe = (from: unknown) => {
    if (from !== source) return
    isPiped = false
    destination.off('unpipe', onUnpipe)
  }
  destination.on('unpipe', onUnpipe)
  gives.whenKnown(() => {
    destination.off('unpipe', onUnpipe)
    if (isPiped) failOn(disagreement(gives, takes), destination)
  })
}

function failOn(error: Error | undefined, destination: Destination): void {
  if (error !== undefined) destination.destroy(error)
}

/** The error between two neighbours; undefined where they agree, or their content is not known yet. */
export function disagreement(gives: Port, takes: Port): WavespoolError | undefined {
  const given = gives.content
  const taken = takes.content
  if (given === undefined || taken === undefined || taken.kind === 'file') return undefined
  if (given.kind === 'file') {
    if (taken.kind !== 'pcm') return undefined
    const { container, isMade } = given
    const reader = container === 'WAV' ? 'wavReader()' : 'decode()'
    const order = isMade ? `put ${takes.name} in front of ${gives.name}, or` : 'put'
    return formatError(
      `${takes.name} takes samples, and ${gives.name} gives a ${container} file; ${order} ${reader} between them, and convert(from, to) where the format differs`,
    )
  }
  if (given.kind !== taken.kind || isSameFormat(given.format, taken.format)) return undefined
  const remedy =
    given.kind === 'pcm'
      ? 'put convert(from, to) between them'
      : `make it with the format of ${gives.name}, and put convert(from, to) behind it`
  return formatError(
    `${takes.name} takes ${describeFormat(taken.format)}, and ${gives.name} gives ${describeFormat(given.format)}; ${remedy}`,
  )
}

function formatError(message: string): WavespoolError {
  return new WavespoolError('ERR_WAVESPOOL_FORMAT', message)
}

export function isSameFormat(a: PcmFormat, b: PcmFormat): boolean {
  return a.encoding === b.encoding && a.channels === b.channels && a.sampleRate === b.sampleRate
}

/** A format in words, `s16le, 1 channel, 16000 Hz` for example. */
export function describeFormat({ encoding, channels, sampleRate }: PcmFormat): string {
  return `${encoding}, ${channels} channel${channels === 1 ? '' : 's'}, ${sampleRate} Hz`
}
