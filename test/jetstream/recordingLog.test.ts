import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LogEntry, RecordingLog } from '../../src/jetstream/recordingLog.ts'

const audio = (recorder: string, position: number, bytes = 10): LogEntry => ({
  kind: 'audio',
  recorder,
  position,
  bytes,
})
const begin = (recorder: string, position: number, follows = ''): LogEntry => ({
  kind: 'begin',
  recorder,
  position,
  bytes: 0,
  follows,
})
const end = (recorder: string, position: number): LogEntry => ({ kind: 'end', recorder, position, bytes: 0 })

const read = (entries: LogEntry[]) => {
  const log = new RecordingLog()
  return entries.map((entry) => log.take(entry))
}

describe('the log of a recording', () => {
  test('takes audio in order, once, and ends at the mark', () => {
    const entries = [begin('a', 0), audio('a', 0), audio('a', 0), audio('a', 5), audio('a', 15), end('a', 25)]
    expect(read([...entries, audio('a', 25)])).toEqual([
      { is: 'begin', gap: 0 },
      { is: 'audio', skip: 0 },
      { is: 'repeated' },
      { is: 'audio', skip: 5 },
      { is: 'audio', skip: 0 },
      { is: 'end' },
      { is: 'repeated' },
    ])
  })

  test('reports a hole, and a gap that its recorder reports', () => {
    expect(read([begin('a', 0), audio('a', 4)])).toEqual([
      { is: 'begin', gap: 0 },
      { is: 'hole', bytes: 4 },
    ])
    expect(read([begin('a', 0), audio('a', 0), begin('b', 16, 'a'), audio('b', 16), end('b', 30)])).toEqual([
      { is: 'begin', gap: 0 },
      { is: 'audio', skip: 0 },
      { is: 'begin', gap: 6 },
      { is: 'audio', skip: 0 },
      { is: 'hole', bytes: 4 },
    ])
  })

  test('takes audio once where a recorder continued while another one read the log', () => {
    const verdicts = read([
      begin('a', 0),
      audio('a', 0),
      audio('a', 10),
      begin('b', 10, 'a'),
      audio('b', 10, 15),
    ])
    expect(verdicts.slice(3)).toEqual([
      { is: 'begin', gap: 0 },
      { is: 'audio', skip: 10 },
    ])
  })

  test('leaves out a recorder that was superseded, and one that began at the same moment as another', () => {
    const verdicts = read([
      begin('a', 0),
      audio('a', 0),
      begin('b', 10, 'a'),
      begin('c', 10, 'a'), // saw the same end as b, and was second
      audio('a', 10), // a zombie
      audio('c', 10),
      audio('b', 10),
      end('a', 20),
      end('b', 20),
    ])
    expect(verdicts.map(({ is }) => is)).toEqual([
      'begin',
      'audio',
      'begin',
      'stray',
      'stray',
      'stray',
      'audio',
      'stray',
      'end',
    ])
  })

  test('can begin in the middle, at a recorder whose turn it is', () => {
    const first = begin('b', 16, 'a')
    const log = RecordingLog.from(first)
    expect([first, audio('b', 16), audio('a', 26)].map((entry) => log.take(entry).is)).toEqual([
      'repeated',
      'audio',
      'stray',
    ])
  })

  // Recorders that come and go, pause, send unanswered messages again, and do not know of each other, on a server that
  // refuses nothing: in any order of their messages, the bytes that a reader gets are contiguous, and each of them is
  // of the recorder whose turn it was.
  test('gives one recording for any messages that the server accepted', () => {
    const steps = fc.array(
      fc.record({
        recorder: fc.nat(3),
        act: fc.constantFrom('look', 'begin', 'send', 'send', 'send', 'again'),
        bytes: fc.integer({ min: 1, max: 9 }),
        gap: fc.constantFrom(0, 0, 0, 3),
      }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (acts) => {
        const entries: LogEntry[] = []
        const recorders = [0, 1, 2, 3].map((n) => ({
          name: `r${n}`,
          seen: { recorder: '', position: 0 },
          position: undefined as number | undefined,
          last: undefined as LogEntry | undefined,
        }))
        for (const { recorder, act, bytes, gap } of acts) {
          const it = recorders[recorder]!
          if (act === 'look') {
            const log = new RecordingLog()
            for (const entry of entries) log.take(entry)
            it.seen = { recorder: log.recorder, position: log.position }
          } else if (act === 'begin' && it.position === undefined) {
            it.position = it.seen.position + gap
            it.last = begin(it.name, it.position, it.seen.recorder)
            entries.push(it.last)
          } else if (act === 'send' && it.position !== undefined) {
            it.last = audio(it.name, it.position, bytes)
            it.position += bytes
            entries.push(it.last)
          } else if (act === 'again' && it.last) {
            entries.push(it.last)
          }
        }
        const log = new RecordingLog()
        const turns = new Map<string, number>()
        let at = 0
        for (const entry of entries) {
          const verdict = log.take(entry)
          if (verdict.is === 'begin') {
            at += verdict.gap
            expect(entry.position).toBeLessThanOrEqual(at)
            if (verdict.gap > 0) expect(entry.position).toBe(at)
            expect(turns.has(entry.recorder)).toBe(false) // no recorder gets a second turn
            turns.set(entry.recorder, turns.size)
          } else if (verdict.is === 'audio') {
            expect(entry.position + verdict.skip).toBe(at)
            expect(turns.get(entry.recorder)).toBe(turns.size - 1) // the newest turn alone counts
            at += entry.bytes - verdict.skip
          } else {
            expect(verdict.is).not.toBe('hole') // none of them leaves out anything
          }
          expect(log.position).toBe(at)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
