import { expect, test } from 'vitest'
import { PartFiles } from '../../src/storage/partFiles.ts'

test('keeps 32 part files open: those that were used last', () => {
  const files = new PartFiles('nowhere', false)
  const first = Array.from({ length: 32 }, (_, index) => files.at(index))
  expect(files.at(0)).toBe(first[0])
  files.at(32) // in place of 1, which was used longest ago
  expect(files.at(0)).toBe(first[0])
  expect(files.at(2)).toBe(first[2])
  expect(files.at(1)).not.toBe(first[1]) // in place of 3
  expect(files.at(3)).not.toBe(first[3])
})
