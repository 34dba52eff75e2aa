import { EventStream } from './eventStream.ts'
import { HttpError } from './httpError.ts'

/** The pages that receive events. */
export class EventSubscribers {
  readonly #most: number
  /** with the name of the recording that it shows */
  readonly #pages = new Map<EventStream, string | undefined>()

  constructor(most: number) {
    this.#most = most
  }

  /** @throws {HttpError} for one too many */
  admit(shown: string | undefined): EventStream {
    if (this.#pages.size >= this.#most) throw new HttpError(503, 'too many pages are open')
    const page: EventStream = new EventStream(() => this.#pages.delete(page))
    this.#pages.set(page, shown)
    return page
  }

  /** Tells the pages that show this recording, or all of them. */
  publish(message: Uint8Array, recording?: string): void {
    for (const [page, shown] of this.#pages)
      if (recording === undefined || shown === recording) page.send(message)
  }

  close(): void {
    for (const page of this.#pages.keys()) page.close()
  }
}
