import { clearInterval, setInterval } from '../realTimers.ts'

/** So many bytes may wait for a reader: a slower one reconnects with the id of its last event. */
const MOST_WAITING = 2 ** 20
const BEAT_MILLISECONDS = 15_000

/** An event as it goes over the wire; a reader that reconnects sends the `id` of its last event. */
export function event(type: string, data: unknown, id?: number): Uint8Array {
  const head = id === undefined ? '' : `id: ${id}\n`
  return Buffer.from(`${head}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
}

const beat = Buffer.from(':\n\n')

/** Server-sent events for one reader. */
export class EventStream {
  readonly response: Response
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #isOpen = true
  readonly #onClose: () => void
  readonly #timer: NodeJS.Timeout

  constructor(onClose: () => void) {
    this.#onClose = onClose
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => this.#end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    )
    this.#timer = setInterval(() => this.send(beat), BEAT_MILLISECONDS)
    this.#timer.unref()
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    }
    this.response = new Response(body, { headers })
    this.send(beat)
  }

  send(message: Uint8Array): void {
    if (!this.#isOpen) return
    if (this.#controller.desiredSize! < -MOST_WAITING) this.close()
    else this.#controller.enqueue(message)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#end()
    this.#controller.close()
  }

  #end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    clearInterval(this.#timer)
    this.#onClose()
  }
}
