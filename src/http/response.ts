import { Readable } from 'node:stream'
import { checkName, checkPosition } from '../arguments.ts'
import type { EncodeOptions } from '../codec/codecs.ts'
import { ArgumentTypeError, show } from '../errors.ts'
import { checkOptions } from '../options.ts'
import { type HttpRange, MultipartRanges, parseRanges } from './byteRanges.ts'
import { toWeb } from './webStream.ts'

/** The part of a request that an answer depends on: a standard `Request` has it, and so has a request of `node:http`. */
export interface RequestLike {
  /** `GET` (default) or `HEAD`; anything else is answered with 405 */
  readonly method?: string | undefined
  /** the request's headers: Node's object, or those of `fetch` */
  readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>> | undefined
}

/** The options of `toResponse()`. */
export interface ResponseOptions extends Partial<EncodeOptions> {
  /**
   * the file as it was when it had so many bytes: of a recording that goes on too, this never changes, and has a length,
   * ranges and an entity tag of its own (default: as it is)
   */
  size?: number
  /** the name under which a browser saves it (default: that of the file) */
  name?: string
  /** whether a browser is to show it, `'inline'` (default), or to save it, `'attachment'` */
  disposition?: 'inline' | 'attachment'
}

/** The file that is served. */
export interface ServedFile {
  readonly name: string
  readonly type: string
  readonly disposition: 'inline' | 'attachment'
  /** how long it is and which bytes these are; undefined while the recording goes on */
  readonly finished: { readonly size: number; readonly entityTag: string } | undefined
  /** the bytes from `start` to `end`, both inclusive, or all of them, followed to the end of the recording */
  open(range: HttpRange | undefined): Readable
}

/**
 * Answers a request for a file as RFC 9110 has it: ranges, and the conditions on the entity tag. A
 * recording that goes on has no length, and its header is not final: it is sent as a whole for any range, as the RFC
 * allows.
 *
 * @throws {ArgumentTypeError} for a value that is no request
 */
export function respond(file: ServedFile, request: RequestLike = {}): Response {
  const { name, type, finished, open } = file
  const { method, asked } = checkRequest(request)
  if (method !== 'GET' && method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  // A cache must revalidate: a recording goes on, and a cursor may change its bytes.
  const headers = new Headers({ 'cache-control': finished ? 'no-cache' : 'no-store' })
  if (finished) headers.set('etag', finished.entityTag)
  const answer = (status: number, body?: Readable) =>
    new Response(body ? toWeb(body) : null, { status, headers })

  const match = asked.get('if-match')
  if (match !== null && !names(match, finished?.entityTag)) return answer(412)
  const noneMatch = asked.get('if-none-match')
  if (noneMatch !== null && names(noneMatch.replaceAll('W/"', '"'), finished?.entityTag)) return answer(304)

  headers.set('accept-ranges', finished ? 'bytes' : 'none')
  headers.set('content-type', type)
  headers.set('content-disposition', disposition(file.disposition, name))
  if (method === 'GET' && finished && (asked.get('if-range') ?? finished.entityTag) === finished.entityTag) {
    const { size } = finished
    const ranges = parseRanges(asked.get('range'), size)
    if (ranges === 'unsatisfiable') {
      headers.set('content-range', `bytes */${size}`)
      return answer(416)
    }
    if (ranges?.length === 1) {
      const [range] = ranges as [HttpRange]
      headers.set('content-range', `bytes ${range.start}-${range.end}/${size}`)
      headers.set('content-length', String(range.end - range.start + 1))
      return answer(206, open(range))
    }
    if (ranges !== undefined) {
      const parts = new MultipartRanges(ranges, size, type)
      headers.set('content-type', parts.contentType)
      headers.set('content-length', String(parts.contentLength))
      return answer(206, Readable.from(parts.bytes(open), { objectMode: false }))
    }
  }
  if (finished) headers.set('content-length', String(finished.size))
  return method === 'GET' ? answer(200, open(undefined)) : answer(200)
}

/** Whether a list of entity tags names this one. A weak one, `W/"…"`, vouches for no byte and names nothing. */
function names(list: string, entityTag: string | undefined): boolean {
  if (list.trim() === '*') return true
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => tag === entityTag)
}

/** The name under which a browser saves the file: RFC 6266, with RFC 8187 for characters outside ASCII. */
function disposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  if (plain === name) return `${kind}; filename="${name}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option, but for a size that the file never had */
export function checkResponseOptions(options: ResponseOptions): void {
  checkOptions(options, ['size', 'name', 'disposition', 'codec', 'bitrate'], 'toResponse()')
  const { size, name, disposition, codec, bitrate } = options
  if (size !== undefined) checkPosition(size, 'size')
  if (name !== undefined) checkName(name)
  if (bitrate !== undefined && codec === undefined) {
    throw new ArgumentTypeError('bitrate is of a codec, and none was named')
  }
  if (disposition !== undefined && disposition !== 'inline' && disposition !== 'attachment') {
    throw new ArgumentTypeError(`disposition must be 'inline' or 'attachment', got ${show(disposition)}`)
  }
}

function checkRequest(request: RequestLike): { method: string; asked: Headers } {
  if (typeof request !== 'object' || request === null) {
    throw new ArgumentTypeError(`toResponse() takes a Request or { method, headers }, got ${show(request)}`)
  }
  const { method = 'GET', headers = {} } = request
  if (typeof method !== 'string' || typeof headers !== 'object' || headers === null) {
    throw new ArgumentTypeError(
      `toResponse() takes a Request or { method, headers }, got { method: ${show(method)}, headers: ${show(headers)} }`,
    )
  }
  if (headers instanceof Headers) return { method, asked: headers }
  const asked = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    // only the names that are read: HTTP/2 has names such as `:path` that no Headers takes
    if (conditions.has(name.toLowerCase()) && value !== undefined) asked.set(name, String(value))
  }
  return { method, asked }
}

const conditions = new Set(['range', 'if-range', 'if-match', 'if-none-match'])
