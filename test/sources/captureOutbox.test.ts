import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Outbox } from '../../src/sources/capture/child/outbox.ts'
import { type CaptureMessage, Decoder } from '../../src/sources/capture/protocol.ts'

/** A pipe whose other end reads only when told. */
function pipe() {
  const waiting: (() => void)[] = []
  const decoder = new Decoder()
  const messages: CaptureMessage[] = []
  let isOpen = false
  const writable = new Writable({
    highWaterMark: 16,
    write(chunk, _encoding, callback) {
      messages.push(...decoder.push(chunk))
      if (isOpen) callback()
      else waiting.push(callback)
    },
  })
  const open = () => {
    isOpen = true
    for (const callback of waiting.splice(0)) callback()
  }
  return { writable, messages, open }
}

const read = (n: number) => Buffer.alloc(1000, n)

describe('the queue of the capture process', () => {
  test('passes everything in order while there is room', async () => {
    const { writable, messages, open } = pipe()
    const outbox = new Outbox(writable, { frames: 1e6, bytes: 1e6 }, 2)
    for (let n = 0; n < 200; n++) outbox.pcm(read(n))
    outbox.note({ type: 'end', body: {} })
    open()
    await outbox.flushed()
    expect(messages).toHaveLength(201)
    expect(messages.slice(0, 200).map((message) => message.type === 'pcm' && message.bytes[0])).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    )
    expect(messages.at(-1)!.type).toBe('end')
    expect(outbox.waitingBytes).toBe(0)
  })

  test.each([
    ['bytes', { frames: 1e6, bytes: 10_000 }],
    ['frames', { frames: 5000, bytes: 1e6 }],
  ])('is bounded by %s, and reports exactly the dropped audio, in its place', async (_name, bound) => {
    const { writable, messages, open } = pipe()
    const outbox = new Outbox(writable, bound, 2)
    for (let n = 0; n < 200; n++) outbox.pcm(read(n))
    expect(outbox.waitingBytes).toBeLessThanOrEqual(10_000)
    open()
    await new Promise(setImmediate)
    for (let n = 200; n < 210; n++) outbox.pcm(read(n))
    outbox.note({ type: 'end', body: {} })
    await outbox.flushed()
    const kept = messages.filter(({ type }) => type === 'pcm').length
    const gaps = messages.filter((message) => message.type === 'gap')
    expect(gaps).toHaveLength(1)
    expect(gaps[0]!.body).toEqual({ frames: (210 - kept) * 500, cause: 'queue' })
    const behind = messages[messages.indexOf(gaps[0]!) + 1]!
    expect(behind.type === 'pcm' && behind.bytes[0]).toBe(200)
  })

  test('reports the last dropped audio before the end', async () => {
    const { writable, messages, open } = pipe()
    const outbox = new Outbox(writable, { frames: 1e6, bytes: 1000 }, 2)
    for (let n = 0; n < 200; n++) outbox.pcm(read(n))
    outbox.note({ type: 'end', body: {} })
    open()
    await outbox.flushed()
    expect(messages.slice(-2).map(({ type }) => type)).toEqual(['gap', 'end'])
  })
})
