import { MediaParser } from './messageParser.ts'
import { checkMessagesOptions, type MessagesOptions } from './messages.ts'
import { PhoneMedia } from './phoneMedia.ts'

/**
 * Messages of Twilio Media Streams, and of services with the same protocol, into items of the tracks `'inbound'` and
 * `'outbound'`, placed by `media.timestamp`.
 * https://www.twilio.com/docs/voice/media-streams/websocket-messages
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function twilioMedia(options: MessagesOptions = {}): MediaParser {
  const checked = checkMessagesOptions(options, 'twilioMedia()')
  const protocol = new PhoneMedia({
    vendor: 'Twilio',
    mediaFormat: 'mediaFormat',
    sampleRate: 'sampleRate',
    encodings: { 'audio/x-mulaw': 'mulaw' },
    tracksOf: ({ tracks }) => {
      const names = Array.isArray(tracks) ? tracks.filter((name) => typeof name === 'string') : []
      return names.length > 0 ? names : ['inbound']
    },
  })
  return new MediaParser('twilioMedia()', protocol, checked)
}
