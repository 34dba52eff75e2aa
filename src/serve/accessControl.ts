import { createHmac, timingSafeEqual } from 'node:crypto'
import { ArgumentRangeError, ArgumentTypeError, show } from '../errors.ts'
import { HttpError } from './httpError.ts'
import { RateLimiter } from './rateLimiter.ts'

/** A token that can be guessed is none. */
const LEAST_TOKEN = 16

/** The part of a request that is checked first. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: Headers
}

/**
 * Checks that a request may be served. A name in `Host` that is not ours is a page elsewhere whose name was made to lead here (DNS rebinding);
 * an `Origin` that is not ours is a page elsewhere that asks in its visitor's name. Neither is answered, token or not.
 */
export class AccessControl {
  readonly #hosts: ReadonlySet<string>
  readonly #token: string | undefined
  readonly #failures = new RateLimiter(20, 60_000)

  /** @throws {ArgumentTypeError | ArgumentRangeError} for a wrong option */
  constructor(hosts: readonly string[], token: string | undefined) {
    if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string')) {
      throw new ArgumentTypeError(`hosts must be a list of names and addresses, got ${show(hosts)}`)
    }
    if (token !== undefined && (typeof token !== 'string' || !/^[\x21-\x7e]*$/.test(token))) {
      throw new ArgumentTypeError('token must be a string of printable ASCII without spaces')
    }
    if (token !== undefined && token.length < LEAST_TOKEN) {
      throw new ArgumentRangeError(
        `token must have at least ${LEAST_TOKEN} characters, as it can be guessed else`,
      )
    }
    this.#hosts = new Set(['localhost', '127.0.0.1', '[::1]', ...hosts.map((host) => host.toLowerCase())])
    this.#token = token
  }

  /** @throws {HttpError} for a request from elsewhere */
  requireSameOrigin({ method, url, headers }: RequestHead): void {
    const host = (headers.get('host') ?? new URL(url).host).toLowerCase()
    if (!this.#hosts.has(host.replace(/:\d*$/, ''))) {
      throw new HttpError(
        403,
        `this server does not answer to ${show(host)}: name it in { hosts } if it is yours`,
      )
    }
    const origin = headers.get('origin')
    if (origin !== null && origin.replace(/^https?:\/\//, '') !== host) {
      throw new HttpError(403, `a page of ${show(origin)} asks for this, and only one of ${host} may`)
    }
    // Sent by browsers alone. A link or a bookmark may lead here, but nothing that another page loads or embeds.
    const site = headers.get('sec-fetch-site') ?? 'none'
    const isLink = method === 'GET' && headers.get('sec-fetch-dest') === 'document'
    if (site !== 'same-origin' && site !== 'none' && !isLink) {
      throw new HttpError(403, 'a page from elsewhere asks for this')
    }
  }

  /** @throws {HttpError} without the token, in `Authorization: Bearer …` or in the cookie of a session */
  requireToken(headers: Headers): void {
    if (this.#token === undefined) return
    const [, bearer] = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '') ?? []
    if (bearer !== undefined) {
      this.#requireRight(bearer)
      return
    }
    const cookies = (headers.get('cookie') ?? '').split(/; */)
    if (!cookies.some((cookie) => isSame(cookie, this.#cookie)))
      throw new HttpError(401, 'this needs the token')
  }

  /**
   * The cookie by which a browser is known from now on: it can be had by the token, but not the token by it.
   *
   * @returns the value of `Set-Cookie`
   * @throws {HttpError} for a wrong token
   */
  session(token: unknown, path: string): string {
    this.#requireRight(String(token))
    return `${this.#cookie}; Path=${path}; HttpOnly; SameSite=Strict`
  }

  #requireRight(token: string): void {
    if (this.#token === undefined || isSame(token, this.#token)) return
    if (!this.#failures.take()) throw new HttpError(429, 'too many wrong tokens: wait a minute')
    throw new HttpError(401, 'the token is wrong')
  }

  /** Browsers keep cookies by name and host, without the port: each token has a name of its own. */
  get #cookie(): string {
    const mark = (text: string) =>
      createHmac('sha256', this.#token ?? '')
        .update(text)
        .digest('hex')
    return `wavespool-${mark('name').slice(0, 8)}=${mark('session')}`
  }
}

/** Takes the same time wherever they differ. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHmac('sha256', 'same').update(text).digest())
  return timingSafeEqual(left!, right!)
}

/** The page runs, shows and connects to its own files only; no other page frames or loads it. */
export const protection = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}
