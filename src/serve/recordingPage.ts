import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { printable, show } from '../errors.ts'
import { pcmFormat } from '../format/pcmFormat.ts'
import { toWeb } from '../http/webStream.ts'
import { convert } from '../streams/convert.ts'
import { AccessControl, protection } from './accessControl.ts'
import { readJson } from './body.ts'
import { HttpError, json } from './httpError.ts'
import { pageFile } from './pageFiles.ts'
import type { PageRecording } from './pageRecording.ts'
import { RateLimiter } from './rateLimiter.ts'
import { checkRecordingPage, type RecordingPageOptions } from './recordingPageOptions.ts'
import { Recordings } from './recordings.ts'
import { acceptSocket, refuseSocket } from './sockets.ts'

/** A page asks for less at a time. */
const MOST_FRAMES = 2 ** 20

/**
 * A page that records into a folder, and lets its recordings be seen, heard and marked while they go on and after.
 *
 * `fetch` is the handler of any server that speaks `Request` and `Response`, and `upgrade` the listener of that event of
 * a `node:http` server, without which browsers do not record. Both refuse requests without access.
 *
 * @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option
 */
export function recordingPage(folder: string, options: RecordingPageOptions = {}): RecordingPage {
  return new RecordingPage(folder, options)
}

/** See {@link recordingPage}. */
export class RecordingPage {
  readonly #base: string
  readonly #access: AccessControl
  readonly #recordings: Recordings
  readonly #log: (message: string) => void
  readonly #changes = new RateLimiter(50, 10_000)
  readonly #told = new RateLimiter(20, 10_000)

  constructor(folder: string, options: RecordingPageOptions) {
    const checked = checkRecordingPage(folder, options)
    this.#access = new AccessControl(checked.hosts, checked.token)
    this.#base = checked.base
    this.#log = (message) => checked.log(printable(message))
    this.#recordings = new Recordings(folder, { ...checked, log: this.#log })
  }

  /** Answers a request; it never rejects. */
  readonly fetch = async (request: Request): Promise<Response> => {
    const response = await this.#answer(request).catch((error) => this.#refuse(error, request))
    for (const [name, value] of Object.entries(protection)) response.headers.set(name, value)
    return response
  }

  /** Takes the WebSocket of a browser's microphone, by the package `ws`. */
  readonly upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    try {
      const asking = askingOf(request)
      this.#access.requireSameOrigin(asking)
      this.#access.requireToken(asking.headers)
      const { name, verb } = this.#recordingIn(this.#pathOf(asking.url))
      if (verb !== 'microphone') throw new HttpError(404, 'there is no such socket')
      await acceptSocket(request, socket, head, (key) => this.#recordings.microphoneOf(name, key))
    } catch (error) {
      refuseSocket(socket, await this.#refuse(error, request as { method: string }))
    }
  }

  /** Ends the recordings and closes all connections; resolves when all is on the disk. */
  close(): Promise<void> {
    return this.#recordings.close()
  }

  #refuse(error: unknown, { method }: { method: string }): Response {
    const isHttpError = error instanceof HttpError
    const { message } = error as Error
    if (this.#told.take()) this.#log(`${isHttpError ? 'refused' : 'failed'}: ${method}: ${message}`)
    return isHttpError ? json({ error: message }, error.status) : json({ error: 'the server failed' }, 500)
  }

  #pathOf(url: string): string {
    const { pathname } = new URL(url)
    if (!pathname.startsWith(this.#base)) throw new HttpError(404, 'there is no such page')
    return pathname.slice(this.#base.length)
  }

  async #answer(request: Request): Promise<Response> {
    const { method, headers } = request
    this.#access.requireSameOrigin(request)
    const path = this.#pathOf(request.url)
    if (path === 'session') return this.#begin(request)
    if (!/^(events|recordings)(\/|$)/.test(path)) {
      requireMethod(method, 'GET', 'HEAD')
      return pageFile(path, headers)
    }
    this.#access.requireToken(headers)
    if (method === 'POST' && !this.#changes.take())
      throw new HttpError(429, 'too much at once: wait a moment')
    const { searchParams } = new URL(request.url)
    if (path === 'events') {
      requireMethod(method, 'GET')
      return this.#recordings.events(
        searchParams.get('of') ?? undefined,
        Number(headers.get('last-event-id')) || 0,
      )
    }
    if (path === 'recordings') {
      requireMethod(method, 'GET', 'POST')
      if (method === 'GET') return json(await this.#recordings.list())
      return json(await this.#recordings.begin(await readJson(request)), 201)
    }
    const { name, verb } = this.#recordingIn(path)
    if (verb === 'stop' || verb === 'marks') {
      requireMethod(method, 'POST')
      const body = await readJson(request)
      if (verb === 'marks') return json(await this.#recordings.mark(name, body), 201)
      await this.#recordings.stop(name)
      return json({})
    }
    requireMethod(method, 'GET', 'HEAD')
    const found = await this.#recordings.find(name)
    if (verb === 'samples') return samples(found, searchParams)
    if (verb !== undefined) throw new HttpError(404, 'there is no such page')
    return found.respond(request, {
      disposition: searchParams.has('download') ? 'attachment' : 'inline',
      size: searchParams.has('size') ? Number(searchParams.get('size')) : undefined,
    })
  }

  #recordingIn(path: string): { name: string; verb: string | undefined } {
    const [, name, verb] = /^recordings\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? []
    if (name === undefined) throw new HttpError(404, 'there is no such page')
    try {
      return { name: decodeURIComponent(name), verb }
    } catch {
      throw new HttpError(400, `${show(name)} is no name in UTF-8`)
    }
  }

  async #begin(request: Request): Promise<Response> {
    requireMethod(request.method, 'POST')
    const { token } = await readJson(request)
    const cookie = this.#access.session(token, this.#base)
    return new Response(null, { status: 204, headers: { 'set-cookie': cookie } })
  }
}

/** The samples from one frame up to another, as 16 bits from any encoding: as many as there are. */
async function samples(found: PageRecording, asked: URLSearchParams): Promise<Response> {
  const { format, frames } = found
  const [start, end] = ['start', 'end'].map((name) => Number(asked.get(name) ?? Number.NaN)) as [
    number,
    number,
  ]
  if (format === undefined) throw new HttpError(422, 'the format of this file is unknown')
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new HttpError(400, 'start and end are frames')
  }
  const last = Math.max(start, Math.min(end, frames, start + MOST_FRAMES))
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String((last - start) * 2 * format.channels),
    'cache-control': 'no-store',
  }
  if (last === start) return new Response(null, { headers })
  const wanted = pcmFormat({ ...format, encoding: 's16le' })
  const pcm = await found.samples(start, last)
  if (format.encoding === wanted.encoding) return new Response(toWeb(pcm), { headers })
  const converted = convert(format, wanted)
  pcm.on('error', (error) => converted.destroy(error))
  converted.on('close', () => pcm.destroy())
  return new Response(toWeb(pcm.pipe(converted)), { headers })
}

function requireMethod(method: string, ...allowed: string[]): void {
  if (!allowed.includes(method)) throw new HttpError(405, `this takes ${allowed.join(' and ')} alone`)
}

function askingOf({ method = 'GET', url = '/', headers }: IncomingMessage) {
  const plain = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  if (!url.startsWith('/')) throw new HttpError(400, 'this is no path')
  return { method, url: `http://${headers.host}${url}`, headers: new Headers(plain as [string, string][]) }
}
