import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

// By a computed path, as the programs that write the reference have no types.
const reference = join(import.meta.dirname, '../reference')
const { gaps } = await import(join(reference, 'gate.mjs'))
const { defaultOf } = await import(join(reference, 'model.mjs'))

describe('the default that the text of an option names', () => {
  test.each([
    ['length of a chunk (default 20 ms)', '20 ms', 'length of a chunk'],
    ['the media type (default: that of the name)', 'that of the name', 'the media type'],
    ["left out, `'drop'` (default), or not", "`'drop'`", "left out, `'drop'`, or not"],
    ['a source (default `portAudio(format)`)', '`portAudio(format)`', 'a source'],
    ['as in `read()` (default: none)', 'none', 'as in `read()`'],
  ])('%s', (text, value, rest) => {
    expect(defaultOf(text)).toEqual({ value, rest })
  })

  test.each([
    ['replace it (default false: that is an error)', 'false'],
    ['seconds (default 60) and bytes (default 32 MiB)', '60, 32 MiB'],
    ['the one channel; without it all are mixed', ''],
  ])('%s: the text stays whole', (text, value) => {
    expect(defaultOf(text)).toEqual({ value, rest: text })
  })

  test('is missing in a text that names none', () => {
    expect(defaultOf('breaks off when it is aborted')).toBeUndefined()
  })
})

describe('the gate', () => {
  const property = (name: string, text: string, type = 'string', canonicalReference?: string) => ({
    kind: 'PropertySignature',
    name,
    isOptional: true,
    docComment: `/**\n * ${text}\n */\n`,
    excerptTokens: [{ text: `${name}?: ` }, { text: type, canonicalReference }, { text: ';' }],
  })
  const options = (...members: object[]) => ({
    kind: 'Interface',
    name: 'AnyOptions',
    docComment: '/**\n * The options of `any()`.\n */\n',
    excerptTokens: [{ text: 'export interface AnyOptions ' }],
    members,
  })
  const found = (item: object, ...others: { name: string }[]) => [
    ...gaps(
      [item],
      new Map([item as { name: string }, ...others].map((each) => [each.name, each])),
      new Set(['AnyOptions']),
    ),
  ]

  test('passes an option with its default', () => {
    expect(found(options(property('mode', 'how it is done (default: slowly)')))).toEqual([])
  })

  test('reports an option that names no default', () => {
    expect(found(options(property('mode', 'how it is done')))).toEqual(['AnyOptions.mode names no default'])
  })

  test('reports a number without a unit', () => {
    expect(found(options(property('much', 'so much (default 3)', 'number')))).toEqual([
      'AnyOptions.much has no unit',
    ])
  })

  const method = (docComment: string, parameterName?: string) => ({
    kind: 'Method',
    name: 'seek',
    docComment,
    parameters: parameterName ? [{ parameterName }] : [],
    excerptTokens: [{ text: 'seek(offset: number): void;' }],
  })
  const file = (member: object, name = 'AnyFile') => ({
    ...{ kind: 'Class', name, docComment: '/**\n * A file.\n */\n' },
    ...{ excerptTokens: [{ text: `export declare class ${name} ` }], members: [member] },
  })

  test('reports a method with arguments that does not say what it throws', () => {
    expect(found(file(method('/**\n * Moves it.\n */\n', 'offset')))).toEqual([
      'AnyFile.seek() does not say what it throws',
    ])
  })

  test.each([
    [
      'that says what it throws',
      file(method('/**\n * Moves it.\n *\n * @throws {Error} always\n */\n', 'offset')),
    ],
    ['without arguments', file(method('/**\n * Rewinds it.\n */\n'))],
    ['that users implement', file(method('/**\n * Listens.\n */\n', 'frame'), 'VoiceDetector')],
  ])('passes a method %s', (_name, item) => {
    expect(found(item)).toEqual([])
  })

  test('reports a type that users cannot import', () => {
    const member = property('mode', 'how it is done (default: slowly)', 'Mode', 'wavespool!~Mode:type')
    expect(found(options(member), { name: 'Mode', kind: 'TypeAlias' } as { name: string })).toEqual([
      'AnyOptions names Mode, which nothing exports',
    ])
  })
})
