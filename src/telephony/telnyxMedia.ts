import { ArgumentTypeError, show } from '../errors.ts'
import { MediaParser } from './messageParser.ts'
import { checkMessagesOptions, type MessagesOptions } from './messages.ts'
import { PhoneMedia } from './phoneMedia.ts'

/** The options of `telnyxMedia()`. */
export interface TelnyxOptions extends MessagesOptions {
  /** how the samples of L16 lie (default `'s16le'`): the vendor's documents do not say, and RFC 3551 says `'s16be'` */
  l16?: 's16le' | 's16be'
}

/**
 * Messages of Telnyx media streaming into items of the tracks `'inbound'` and `'outbound'`, placed by `media.timestamp`,
 * as their order is not guaranteed: PCMU, PCMA and L16.
 * https://developers.telnyx.com/docs/voice/programmable-voice/media-streaming
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function telnyxMedia(options: TelnyxOptions = {}): MediaParser {
  const checked = checkMessagesOptions(options, 'telnyxMedia()', ['l16'])
  const { l16 = 's16le' } = options
  if (l16 !== 's16le' && l16 !== 's16be') {
    throw new ArgumentTypeError(`telnyxMedia(): l16 must be 's16le' or 's16be', got ${show(l16)}`)
  }
  const protocol = new PhoneMedia({
    vendor: 'Telnyx',
    mediaFormat: 'media_format',
    sampleRate: 'sample_rate',
    encodings: { pcmu: 'mulaw', pcma: 'alaw', l16 },
    // start does not say which tracks were asked for
    tracksOf: () => ['inbound', 'outbound'],
  })
  return new MediaParser('telnyxMedia()', protocol, checked)
}
