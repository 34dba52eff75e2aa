/** LIST INFO: what a WAV file says of itself, by the four letters of the standard: INAM title, IART artist, ISFT software. */
export type InfoTags = Record<string, string>

/**
 * The entries of a `LIST` chunk of the type `INFO` (Microsoft's Multimedia Programming Interface 1.0, "INFO list
 * chunk"): zero-terminated texts, UTF-8 where they are valid as such, else Latin-1. Of an entry that is there twice the
 * first counts; what is damaged ends the list.
 *
 * @param list the chunk's bytes behind its type
 */
export function readInfoTags(list: Uint8Array, tags: InfoTags = {}): InfoTags {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  for (let at = 0; at + 8 <= list.length; ) {
    const id = String.fromCharCode(...list.subarray(at, at + 4))
    if (!/^[\x20-\x7e]{4}$/.test(id)) return tags
    const body = at + 8
    const end = body + view.getUint32(at + 4, true)
    const text = list.subarray(body, end)
    const zero = text.indexOf(0)
    tags[id] ??= decode(zero < 0 ? text : text.subarray(0, zero))
    // An odd text is padded to an even length, though not by everybody; no name begins with a zero.
    at = end + (end % 2 === body % 2 || list[end] !== 0 ? 0 : 1)
  }
  return tags
}

function decode(text: Uint8Array): string {
  try {
    return utf8.decode(text)
  } catch {
    return latin1.decode(text)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const latin1 = new TextDecoder('latin1')
