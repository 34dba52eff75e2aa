import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { chunk } from '../../src/streams/chunk.ts'
import { meter } from '../../src/streams/meter.ts'
import { segment } from '../../src/streams/segment.ts'
import { tone } from '../../src/testing/tone.ts'

const format = pcmFormat()
const endless = () => new Readable({ read: () => {} })
const stages = {
  'a stage': () => chunk(format, { milliseconds: 20 }),
  'our stages in chain()': () =>
    chain([meter(format, { every: { seconds: 1 } }), chunk(format, { milliseconds: 20 })]),
  segments: () => segment(format, { every: { milliseconds: 20 } }),
}

/** A stage that is left must not leave a microphone open. */
describe.each(Object.entries(stages))('a reader that leaves %s', (_, make) => {
  test('by break closes the source, through all stages', async () => {
    const source = tone(format)
    const closed = once(source, 'close')
    for await (const _one of source.pipe(meter(format, { every: { seconds: 1 } })).pipe(make())) break
    await closed
    expect(source.errored).toBeNull()
  })

  test('by destroy() closes foreign streams too', async () => {
    const [source, between, stage] = [endless(), new PassThrough(), make()]
    source.pipe(between).pipe(stage)
    stage.destroy()
    await once(source, 'close')
    expect(between.destroyed).toBe(true)
  })

  test('leaves the source open for its other readers', async () => {
    const [source, other, listener] = [endless(), new PassThrough(), endless()]
    const [stage, another] = [make(), make()]
    source.pipe(stage)
    source.pipe(other)
    listener.on('data', () => {}).pipe(another)
    stage.destroy()
    another.destroy()
    for (let i = 0; i < 5; i++) await turn()
    expect(source.destroyed).toBe(false)
    expect(listener.destroyed).toBe(false)
    source.push('heard')
    expect((await once(other, 'data')).toString()).toBe('heard')
  })
})
