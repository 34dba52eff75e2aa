import { ArgumentTypeError, show } from '../errors.ts'
import { fourCC, isPrintable, viewOf } from './fields.ts'

/** LIST INFO: what a WAV file says of itself, by the four letters of the standard: INAM title, IART artist, ISFT software. */
export type InfoTags = Record<string, string>

/**
 * The entries of a `LIST` chunk of the type `INFO` (Microsoft's Multimedia Programming Interface 1.0, "INFO list
 * chunk"): zero-terminated texts, UTF-8 where they are valid as such, else Latin-1. Of an entry that is there twice the
 * first counts; what is damaged ends the list.
 *
 * @param list the chunk's bytes behind its type
 */
export function readInfoTags(list: Uint8Array, tags: InfoTags = {}, isBigEndian = false): InfoTags {
  const view = viewOf(list)
  for (let at = 0; at + 8 <= list.length; ) {
    const id = fourCC(list, at)
    if (!isPrintable(id)) return tags
    const body = at + 8
    const end = body + view.getUint32(at + 4, !isBigEndian)
    const text = list.subarray(body, end)
    const zero = text.indexOf(0)
    tags[id] ??= decode(zero < 0 ? text : text.subarray(0, zero))
    // An odd text is padded to an even length, though not by everybody; no name begins with a zero.
    at = end + (end % 2 === body % 2 || list[end] !== 0 ? 0 : 1)
  }
  return tags
}

/** @throws {ArgumentTypeError} unless they are texts by the four letters of the standard */
export function checkTags(tags: unknown): asserts tags is InfoTags | undefined {
  if (tags === undefined) return
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw new ArgumentTypeError(`tags must be an object of texts, { INAM: 'a title' }, got ${show(tags)}`)
  }
  for (const [id, text] of Object.entries(tags)) {
    if (!/^[\x20-\x7e]{4}$/.test(id))
      throw new ArgumentTypeError(`the name of a tag has four letters, got ${show(id)}`)
    if (typeof text !== 'string')
      throw new ArgumentTypeError(`the tag ${id} must be a string, got ${show(text)}`)
  }
}

/** The `LIST` chunk of these tags, UTF-8 and zero-terminated; no bytes where there are none. */
export function tagsChunk(tags: InfoTags = {}): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tags).map(([id, text]) =>
    chunk(id, [utf8Encoder.encode(text), new Uint8Array(1)]),
  )
  if (entries.length === 0) return new Uint8Array(0)
  return chunk('LIST', [utf8Encoder.encode('INFO'), ...entries])
}

function chunk(id: string, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(8 + size + (size % 2))
  bytes.set(utf8Encoder.encode(id))
  new DataView(bytes.buffer).setUint32(4, size, true)
  let at = 8
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const utf8Encoder = new TextEncoder()

function decode(text: Uint8Array): string {
  try {
    return utf8.decode(text)
  } catch {
    return latin1.decode(text)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const latin1 = new TextDecoder('latin1')
