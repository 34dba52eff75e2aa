import type { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'

/**
 * A Node stream as one of the Web that reads on only when it is asked. `Readable.toWeb()` reads ahead, and discards
 * the bytes it has read when the stream fails: a slow reader would never see the last bytes of a recording that broke off.
 */
export function toWeb(readable: Readable): ReadableStream<Uint8Array> {
  const chunks = readable[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.length))
      },
      async cancel() {
        readable.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}
