import type { Readable } from 'node:stream'
import { setImmediate } from './realTimers.ts'

/**
 * Fails a stream once all that it has put out has been read, where `destroy()` would discard the rest of its buffer. Every way of consuming a Readable comes by its `read()`, which is how an error can wait for the last byte.
 *
 * @param fail fails it (default: destroys it with the error, a turn later: the chunk that was read last is only then on
 * its way through the streams behind)
 */
export function failOnceRead(
  stream: Readable,
  error: Error,
  fail: () => void = () => setImmediate(() => stream.destroy(error)),
): void {
  if (stream.readableLength === 0) {
    fail()
    return
  }
  const { read } = stream
  stream.read = (size) => {
    const chunk = read.call(stream, size)
    if (stream.readableLength === 0 && stream.read !== read) {
      stream.read = read
      fail()
    }
    return chunk
  }
}
