import { pcmFormat } from '../format/pcmFormat.ts'
import type { TimelineItem } from '../streams/timeline/kernel.ts'
import { fromBase64 } from './base64.ts'
import { MediaParser, type Protocol, type Sink } from './messageParser.ts'
import {
  checkMessagesOptions,
  countOf,
  type Fields,
  type MessagesOptions,
  messageError,
  textOf,
} from './messages.ts'

/** audio/pcm of the Realtime API */
const format = pcmFormat({ sampleRate: 24_000 })
const tracks = ['user', 'assistant']
/** An append may carry 15 MiB, in base64 a third more. */
const MOST_BYTES = 21 * 2 ** 20

/** A reply that is still to be heard. */
interface Part {
  item: string
  content: number
  /** of its first frame */
  at: number
  /** frames that have come, and those that were handed on */
  frames: number
  sent: number
  pending: Uint8Array[]
}

/**
 * Messages of OpenAI's Realtime API, of both directions: sent audio, `input_audio_buffer.append`, becomes the track
 * `'user'`, and received audio, `response.output_audio.delta` (and the older `response.audio.delta`), the track `'assistant'`.
 * The user's audio is the clock. A reply comes faster than it is heard: it begins where the user's audio stands when it
 * comes, or behind the reply before, and is handed on as the user's audio goes on. Audio that was not
 * heard, by `conversation.item.truncated`, is left out.
 * https://platform.openai.com/docs/api-reference/realtime
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function openaiRealtime(options: MessagesOptions = {}): MediaParser {
  const checked = checkMessagesOptions(options, 'openaiRealtime()', [], MOST_BYTES)
  return new MediaParser('openaiRealtime()', new OpenaiRealtime(), checked)
}

class OpenaiRealtime implements Protocol {
  readonly start = { format, tracks, message: {} }
  #isStarted = false
  #user = 0
  /** the frame behind the latest reply */
  #end = 0
  #parts: Part[] = []

  text(message: Fields, to: Sink): void {
    const { type } = message
    if (typeof type !== 'string') throw messageError('a message of the Realtime API has a type')
    switch (type) {
      case 'input_audio_buffer.append':
        this.#append(pcmOf(message.audio, 'audio'), to)
        return
      case 'response.output_audio.delta':
      case 'response.audio.delta':
        this.#reply(message, to)
        return
      case 'conversation.item.truncated':
        this.#truncate(message)
    }
    to.message(message)
  }

  end(to: Sink): void {
    this.#release(Number.POSITIVE_INFINITY, to)
  }

  #begin(to: Sink): void {
    if (this.#isStarted) return
    this.#isStarted = true
    to.start(this.start)
  }

  #append(data: Uint8Array, to: Sink): void {
    this.#begin(to)
    to.item({ track: 'user', at: this.#user, data })
    this.#user += data.length / 2
    this.#release(this.#user, to)
  }

  #reply(message: Fields, to: Sink): void {
    const item = textOf(message.item_id) ?? ''
    const content = countOf(message.content_index ?? 0, 'content_index')
    const data = pcmOf(message.delta, 'delta')
    this.#begin(to)
    let part = this.#parts.at(-1)
    if (part?.item !== item || part.content !== content) {
      const at = Math.max(this.#end, this.#user)
      part = { item, content, at, frames: 0, sent: 0, pending: [] }
      this.#parts.push(part)
    } else if (part.sent === part.frames && part.at + part.frames < this.#user) {
      // all that had come was heard already: the rest is heard from now on
      part = { ...part, at: this.#user - part.frames }
      this.#parts[this.#parts.length - 1] = part
    }
    part.pending.push(data)
    part.frames += data.length / 2
    this.#end = part.at + part.frames
    this.#release(this.#user, to)
  }

  /** Hands on the audio heard until the user's audio has come as far. */
  #release(until: number, to: Sink): void {
    for (const part of this.#parts) {
      while (part.pending.length > 0 && part.at + part.sent < until) {
        const [first] = part.pending as [Uint8Array]
        const frames = Math.min(first.length / 2, until - part.at - part.sent)
        const whole: TimelineItem = {
          track: 'assistant',
          at: part.at + part.sent,
          data: first.subarray(0, frames * 2),
        }
        if (frames * 2 === first.length) part.pending.shift()
        else part.pending[0] = first.subarray(frames * 2)
        part.sent += frames
        to.item(whole)
      }
    }
    const last = this.#parts.at(-1)
    this.#parts = this.#parts.filter((part) => part.pending.length > 0 || part === last)
  }

  #truncate(message: Fields): void {
    const end = countOf(message.audio_end_ms, 'audio_end_ms')
    const index = this.#parts.findLastIndex(({ item }) => item === message.item_id)
    const part = this.#parts[index]
    if (part === undefined) return
    let remaining = Math.max(0, Math.round((end * format.sampleRate) / 1000) - part.sent)
    const kept: Uint8Array[] = []
    for (const data of part.pending) {
      const piece = data.subarray(0, remaining * 2)
      remaining -= piece.length / 2
      if (piece.length > 0) kept.push(piece)
    }
    part.pending = kept
    part.frames = part.sent + kept.reduce((sum, { length }) => sum + length / 2, 0)
    this.#end = part.at + part.frames
    this.#parts.length = index + 1
  }
}

function pcmOf(text: unknown, name: string): Uint8Array {
  const data = fromBase64(text, name)
  if (data.length % 2 === 0) return data
  throw messageError(`${name} ends within a sample`)
}
