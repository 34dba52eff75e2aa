import { clearTimeout, setTimeout } from '../realTimers.ts'
import { HttpError } from './httpError.ts'

const MOST_BYTES = 8192
const MOST_MILLISECONDS = 10_000

/**
 * The JSON object that a request carries. A form of another page cannot send this media type.
 *
 * @returns a promise, rejected with a {@link HttpError} for anything else, for more than 8 KiB, and for one that takes
 * longer than ten seconds
 */
export async function readJson(request: Request): Promise<Record<string, unknown>> {
  const [type] = (request.headers.get('content-type') ?? '').split(';')
  if (type !== 'application/json') throw new HttpError(415, 'send application/json')
  const reader = request.body?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    reader?.cancel().catch(() => {})
  }, MOST_MILLISECONDS)
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      length += next.value.length
      if (length > MOST_BYTES) throw new HttpError(413, `send at most ${MOST_BYTES} bytes`)
      chunks.push(next.value)
    }
  } finally {
    clearTimeout(timer)
    reader?.cancel().catch(() => {})
  }
  if (isLate) throw new HttpError(408, 'the body of the request did not come')
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new HttpError(400, 'this is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, 'send an object')
  }
  return value as Record<string, unknown>
}
