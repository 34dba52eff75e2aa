import { pcmFormat } from '../format/pcmFormat.ts'
import { MediaParser, type Protocol, type Sink } from './messageParser.ts'
import { checkMessagesOptions, type Fields, type MessagesOptions, messageError } from './messages.ts'

/** The only track: the audio of the call, mixed where it is a conference. */
const TRACK = 'inbound'
const contentType = /^audio\/l16\s*;\s*rate=(8000|16000|24000)$/i

/**
 * Messages of Vonage's (Nexmo's) Voice API: one of JSON that names the format, then binary s16le of 20 ms. They carry no
 * time: each follows the one before.
 * https://developer.vonage.com/en/voice/voice-api/concepts/websockets
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function vonageMedia(options: MessagesOptions = {}): MediaParser {
  const caller = 'vonageMedia()'
  return new MediaParser(caller, new VonageMedia(), checkMessagesOptions(options, caller))
}

class VonageMedia implements Protocol {
  #isStarted = false
  #at = 0

  text(message: Fields, to: Sink): void {
    if (this.#isStarted) {
      to.message(message)
      return
    }
    const type = message['content-type']
    const [, rate] = contentType.exec(String(type)) ?? []
    if (rate === undefined) {
      throw messageError(
        `Vonage begins with a content-type of audio/l16;rate=8000, 16000 or 24000, got ${String(type)}`,
      )
    }
    this.#isStarted = true
    to.start({ format: pcmFormat({ sampleRate: Number(rate) }), tracks: [TRACK], message })
  }

  binary(data: Uint8Array, to: Sink): void {
    if (!this.#isStarted) throw messageError('Vonage sends the format before audio')
    if (data.length % 2 !== 0) throw messageError(`${data.length} bytes of audio end within a sample`)
    to.item({ track: TRACK, at: this.#at, data })
    this.#at += data.length / 2
  }
}
