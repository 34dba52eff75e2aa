import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { type Kernel, Stage } from '../../src/streams/stage.ts'

/** Passes bytes on once the test lets it start, and notes what is called. */
function starting() {
  const calls: string[] = []
  const { promise, resolve, reject } = withResolvers()
  const kernel: Kernel = {
    start: () => {
      calls.push('start')
      return promise
    },
    push: (bytes, out) => {
      calls.push('push')
      out.push(bytes)
    },
    flush: () => calls.push('flush'),
    close: () => calls.push('close'),
  }
  return { stage: new Stage(kernel), calls, resolve, reject }
}

function withResolvers() {
  let [resolve, reject] = [() => {}, (_error: Error) => {}]
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone
    reject = onFailed
  })
  return { promise, resolve, reject }
}

const ticks = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('a stage whose kernel has to start', () => {
  it('holds what is written until then, and closes behind the end', async () => {
    const { stage, calls, resolve } = starting()
    stage.write('ab')
    stage.end('cd')
    await ticks()
    expect(calls).toEqual(['start'])
    resolve()
    expect(Buffer.concat(await stage.toArray()).toString()).toBe('abcd')
    if (!stage.closed) await once(stage, 'close')
    expect(calls).toEqual(['start', 'push', 'push', 'flush', 'close'])
  })

  it('fails where the start fails, and is closed', async () => {
    const { stage, calls, reject } = starting()
    const done = pipeline(Readable.from([Buffer.from('ab')]), stage, new PassThrough())
    await ticks()
    reject(new Error('no start'))
    await expect(done).rejects.toThrow('no start')
    if (!stage.closed) await once(stage, 'close')
    expect(calls).toEqual(['start', 'close'])
  })

  it('is closed only once it has started, where it is destroyed before', async () => {
    const { stage, calls, resolve } = starting()
    stage.destroy()
    await ticks()
    expect(calls).toEqual(['start'])
    resolve()
    await once(stage, 'close')
    expect(calls).toEqual(['start', 'close'])
  })

  it('delivers what has reached it where it is stopped before', async () => {
    const { stage, calls, resolve } = starting()
    const source = new Readable({ read() {} })
    source.push('ab')
    const received: Buffer[] = []
    const sink = new PassThrough().on('data', (bytes) => received.push(bytes))
    const done = pipeline(source, stage, sink)
    await ticks()
    stage.stop()
    await ticks()
    expect(source.destroyed).toBe(false)
    resolve()
    await done
    expect(Buffer.concat(received).toString()).toBe('ab')
    expect(source.destroyed).toBe(true)
    expect(calls).toEqual(['start', 'push', 'flush', 'close'])
  })

  it('passes stop() on at once where the source knows it', async () => {
    const { stage, resolve } = starting()
    const source = Object.assign(new Readable({ read() {} }), {
      stop(this: Readable) {
        this.push('tail')
        this.push(null)
      },
    })
    const done = pipeline(source, stage, new PassThrough().resume())
    stage.stop()
    await ticks()
    expect(source.readableEnded).toBe(true)
    resolve()
    await done
  })
})

it('a stage whose kernel has nothing to start takes bytes at once', () => {
  const got: Uint8Array[] = []
  const stage = new Stage({ push: (bytes) => got.push(bytes), flush: () => {} })
  stage.write('ab')
  expect(got.length).toBe(1)
})
