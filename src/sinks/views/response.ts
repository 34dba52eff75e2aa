import { ArgumentTypeError, show } from '../../errors.ts'

/** What an answer depends on: a standard `Request` has it, and so has a request of `node:http`. */
export interface RequestLike {
  /** `GET` (default) or `HEAD`; anything else is answered with 405 */
  readonly method?: string | undefined
  readonly headers?: Headers | Readonly<Record<string, string | readonly string[] | undefined>> | undefined
}

/** What is served. */
export interface ServedFile {
  readonly name: string
  readonly type: string
  /** how long it is and which bytes these are; undefined while the recording goes on */
  readonly recorded: { readonly size: number; readonly entityTag: string } | undefined
  /** the bytes from `start` to `end`, both inclusive, or all of them, followed to the end of the recording */
  open(range: { start: number; end: number } | undefined): ReadableStream<Uint8Array>
}

/**
 * Answers a request for a file as RFC 9110 has it: one range, the conditions on the entity tag, and the whole file
 * where several ranges are asked for. A recording that goes on has no length, and its header is not yet what it will
 * be: it is sent from its beginning to its end, whatever range was asked for, as the RFC allows.
 *
 * @throws {ArgumentTypeError} for what is no request
 */
export function respond({ name, type, recorded, open }: ServedFile, request: RequestLike = {}): Response {
  const { method, asked } = checkRequest(request)
  if (method !== 'GET' && method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  // It may be kept but not used unasked: a recording goes on, and a cursor may change what was recorded.
  const headers = new Headers({ 'cache-control': recorded ? 'no-cache' : 'no-store' })
  if (recorded) headers.set('etag', recorded.entityTag)
  const answer = (status: number, body?: ReadableStream<Uint8Array>) =>
    new Response(body ?? null, { status, headers })

  const match = asked.get('if-match')
  if (match !== null && !names(match, recorded?.entityTag)) return answer(412)
  const noneMatch = asked.get('if-none-match')
  if (noneMatch !== null && names(noneMatch.replaceAll('W/"', '"'), recorded?.entityTag)) return answer(304)

  headers.set('accept-ranges', recorded ? 'bytes' : 'none')
  headers.set('content-type', type)
  headers.set('content-disposition', disposition(name))
  if (method === 'GET' && recorded && (asked.get('if-range') ?? recorded.entityTag) === recorded.entityTag) {
    const { size } = recorded
    const range = parseRange(asked.get('range'), size)
    if (range === 'unsatisfiable') {
      headers.set('content-range', `bytes */${size}`)
      return answer(416)
    }
    if (range !== undefined) {
      headers.set('content-range', `bytes ${range.start}-${range.end}/${size}`)
      headers.set('content-length', String(range.end - range.start + 1))
      return answer(206, open(range))
    }
  }
  if (recorded) headers.set('content-length', String(recorded.size))
  return method === 'GET' ? answer(200, open(undefined)) : answer(200)
}

/**
 * The one range that a `Range` field asks of `size` bytes: first and last byte.
 *
 * @returns undefined where the whole is to be sent: no range, several, another unit, or none that can be understood
 */
function parseRange(
  field: string | null,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(field ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}

/** Whether a list of entity tags names this one. A weak one, `W/"…"`, vouches for no byte and names nothing. */
function names(list: string, entityTag: string | undefined): boolean {
  if (list.trim() === '*') return true
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => tag === entityTag)
}

/** The name for whoever saves it: RFC 6266, with RFC 8187 for what is not ASCII. */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  if (plain === name) return `inline; filename="${name}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`
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
    // only what is looked at: HTTP/2 has names such as `:path` that no Headers takes
    if (conditions.has(name.toLowerCase()) && value !== undefined) asked.set(name, String(value))
  }
  return { method, asked }
}

const conditions = new Set(['range', 'if-range', 'if-match', 'if-none-match'])
