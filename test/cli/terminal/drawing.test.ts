import { describe, expect, test } from 'vitest'
import { brailleLines } from '../../../src/cli/terminal/braille.ts'
import { levelLine } from '../../../src/cli/terminal/levelLine.ts'
import type { Paint } from '../../../src/cli/terminal/style.ts'
import { byteSize, clockTime, decibels } from '../../../src/cli/terminal/units.ts'
import { wrap } from '../../../src/cli/terminal/wrap.ts'

const plain: Paint = (_colour, text) => text
const named: Paint = (colour, text) => (text === '' ? '' : `<${colour}>${text}`)

describe('units', () => {
  test.each([
    [0, '0:00.0'],
    [0.1 + 0.2, '0:00.3'],
    [59.96, '0:59.9'],
    [61.5, '1:01.5'],
    [3723.4, '1:02:03.4'],
  ])('%d s is %s', (seconds, text) => expect(clockTime(seconds)).toBe(text))

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [2 ** 32, '4.3 GB'],
    [5e12, '5.0 TB'],
  ])('%d bytes are %s', (bytes, text) => expect(byteSize(bytes)).toBe(text))

  test('silence is -inf dB', () => expect(decibels(Number.NEGATIVE_INFINITY)).toBe('-inf dB'))
})

describe('the level line', () => {
  const at = (peak: number, paint = plain, isClipped = false) =>
    levelLine({ seconds: 5, bytes: 160_000, peak, isClipped }, 45, paint)

  test('is exactly as wide as it may be, from silence to beyond full scale', () => {
    for (const peak of [Number.NEGATIVE_INFINITY, -90, -60, -30, -1, 0, 6]) expect(at(peak)).toHaveLength(45)
  })

  test('grows with the level', () => {
    expect(at(-60)).toBe('0:05.0  160 kB -60 dB ·······················')
    expect(at(-30)).toBe('0:05.0  160 kB -30 dB ████████████···········')
    expect(at(0)).toBe('0:05.0  160 kB   0 dB ███████████████████████')
  })

  test('is green, yellow from -12 dB on, red from -3 dB on or when clipped', () => {
    expect(
      [at(-20, named), at(-6, named), at(-2, named), at(-20, named, true)].map(
        (line) => /<(\w+)>█/.exec(line)?.[1],
      ),
    ).toEqual(['green', 'yellow', 'red', 'red'])
  })
})

describe('braille', () => {
  test('full scale fills, silence is a line, two columns and four rows a character', () => {
    expect(brailleLines([-1, -1], [1, 1], 1)).toEqual(['⣿'])
    expect(brailleLines([-1, 0, 0], [1, 0, 0], 2)).toEqual(['⡇⠀', '⡏⠁'])
    expect(brailleLines([0, 0], [0, 0], 2)).toEqual(['⠀', '⠉'])
  })

  test('every column has a dot, and beyond full scale it ends at the edge', () => {
    const low = Array.from({ length: 100 }, (_, i) => -i / 30)
    const lines = brailleLines(
      low,
      low.map((value) => -value),
      5,
    )
    expect(lines.map((line) => line.length)).toEqual([50, 50, 50, 50, 50])
    for (let i = 0; i < 50; i++) {
      const bits = lines.reduce((all, line) => all | (line.charCodeAt(i) - 0x2800), 0)
      expect(bits & 0x47, `left column of ${i}`).not.toBe(0)
      expect(bits & 0xb8, `right column of ${i}`).not.toBe(0)
    }
  })
})

test('text is wrapped between words, and a long one stays whole', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('a unbreakable b', 4)).toEqual(['a', 'unbreakable', 'b'])
})
