import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

interface Import {
  from: string
  /** a path below src, or the name of a package */
  to: string
  isPackage: boolean
  /** at load time, and not for its types only */
  isLoaded: boolean
}

/** Every import and re-export of a module, `import()` included. */
function importsOf(path: string): Import[] {
  const code = readFileSync(join(src, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const statics = [...code.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)]
  const dynamics = [...code.matchAll(/(?:\bimport|\brequire)\(\s*'([^']+)'\s*\)/g)]
  const resolve = (specifier: string, isLoaded: boolean): Import => {
    const isPackage = !specifier.startsWith('.')
    const to = isPackage ? specifier : normalize(join(dirname(path), specifier))
    return { from: path, to, isPackage, isLoaded }
  }
  return [
    ...statics.map(([, isType, specifier]) => resolve(specifier!, isType === undefined)),
    ...dynamics.map(([, specifier]) => resolve(specifier!, false)),
  ]
}

const modules = readdirSync(src, { encoding: 'utf8', recursive: true }).filter((path) =>
  /\.(ts|wat)$/.test(path),
)
const imports = modules.flatMap(importsOf)
const roomOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const isBuiltin = (name: string) => name.startsWith('node:') || builtinModules.includes(name)
const names = (list: Import[]) => list.map(({ from, to }) => `${from} → ${to}`)

/** Modules that every room may import. */
const everywhere = [
  'arguments.ts',
  'emitting.ts',
  'errors.ts',
  'failOnceRead.ts',
  'holdingWritable.ts',
  'latest.ts',
  'neighbours.ts',
  'options.ts',
  'ownPath.ts',
  'packageManager.ts',
  'realTimers.ts',
]

const mayKnow: Record<string, string[]> = {
  'arguments.ts': [],
  'errors.ts': [],
  'options.ts': [],
  'ownPath.ts': [],
  'emitting.ts': [],
  'failOnceRead.ts': [],
  'holdingWritable.ts': [],
  'latest.ts': [],
  'neighbours.ts': ['format'],
  'packageManager.ts': [],
  'realTimers.ts': [],
  format: [],
  dsp: ['format'],
  sources: ['format', 'dsp'],
  streams: ['format', 'dsp'],
  storage: [],
  codec: ['format', 'dsp', 'streams'],
  http: ['codec'],
  sinks: ['format', 'dsp', 'storage', 'codec', 'http'],
  chain: ['streams'],
  jetstream: ['format', 'sources', 'streams', 'sinks'],
  serve: ['format', 'dsp', 'sources', 'streams', 'sinks', 'codec', 'http'],
  silero: ['dsp'],
  telephony: ['format', 'streams'],
  testing: ['format', 'dsp', 'sources', 'streams'],
  'index.ts': ['format', 'dsp', 'sources', 'streams', 'storage', 'sinks', 'codec', 'http'],
  cli: [
    'format',
    'dsp',
    'sources',
    'streams',
    'sinks',
    'storage',
    'codec',
    'chain',
    'testing',
    'serve',
    'index.ts',
  ],
}

/** Modules that stand above their room. */
const exceptions: Record<string, string[]> = {
  'streams/segment.ts': ['sinks'],
  'streams/segment/files.ts': ['sinks'],
}

describe('the rooms', () => {
  test('are found', () => {
    expect(modules.length).toBeGreaterThan(20)
    expect(imports.filter(({ from }) => from === 'sinks/virtualFile.ts').length).toBeGreaterThan(5)
    expect(modules.map(roomOf).filter((room) => !(room in mayKnow))).toEqual([])
  })

  test('every import names a module that exists', () => {
    const lost = imports.filter(({ to, isPackage }) => !isPackage && !modules.includes(to))
    expect(names(lost)).toEqual([])
  })

  test('imports go one way', () => {
    const wrong = imports.filter(({ from, to, isPackage }) => {
      if (isPackage || everywhere.includes(to) || roomOf(from) === roomOf(to)) return false
      const allowed = [...mayKnow[roomOf(from)]!, ...(exceptions[from] ?? [])]
      return !allowed.includes(roomOf(to))
    })
    expect(names(wrong)).toEqual([])
  })

  test('no module imports itself through others', () => {
    const loaded = (path: string) =>
      imports.filter((i) => i.from === path && i.isLoaded && !i.isPackage).map(({ to }) => to)
    const cyclic = modules.filter((start) => {
      const seen = new Set<string>()
      const queue = loaded(start)
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        if (next === start) return true
        if (seen.has(next)) continue
        seen.add(next)
        queue.push(...loaded(next))
      }
      return false
    })
    expect(cyclic).toEqual([])
  })
})

/** Inside a room its folders stand above one another: a module imports from its own level or from those below. */
const levels: Record<string, string[]> = {
  sinks: ['recording', 'sharing', 'views', '.'],
  sources: ['capture', '.'],
  streams: ['segment', '.'],
}

describe('the folders of a room', () => {
  test.each(Object.entries(levels))('%s: imports go one way', (room, order) => {
    const levelOf = (path: string) => {
      const rest = path.slice(room.length + 1)
      const folder = rest.includes('/') ? rest.slice(0, rest.indexOf('/')) : rest
      return order.includes(folder) ? order.indexOf(folder) : order.indexOf('.')
    }
    const inside = imports.filter(({ from, to }) => roomOf(from) === room && roomOf(to) === room)
    expect(inside.length).toBeGreaterThan(3)
    expect(names(inside.filter(({ from, to }) => levelOf(to) > levelOf(from)))).toEqual([])
  })
})

test('the host and the child of a capture import nothing from each other but the protocol', () => {
  const side = (path: string) => /^sources\/capture\/(host|child)\//.exec(path)?.[1]
  const between = imports.filter(({ from, to }) => side(from) && side(to) && side(from) !== side(to))
  expect(names(between)).toEqual([])
  expect(imports.filter(({ from }) => side(from)).length).toBeGreaterThan(20)
})

describe('the documents for contributors', () => {
  const root = join(src, '..')
  const read = (name: string) => readFileSync(join(root, name), 'utf8')

  test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s names files and folders that exist', (name) => {
    const paths = [...read(name).matchAll(/`((?:src|test|docs|\.ci)\/[\w./-]+)`/g)].map(([, path]) => path!)
    expect(paths.length).toBeGreaterThan(5)
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('ARCHITECTURE.md has every room, with the rooms that it imports from', () => {
    const rows = [...read('ARCHITECTURE.md').matchAll(/^\| `src\/(\w+)` \| .+ \| (.*)\|$/gm)]
    const told = Object.fromEntries(
      rows.map(([, room, rest]) => [
        room,
        [...rest!.split(';')[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      ]),
    )
    const rooms = Object.keys(mayKnow).filter((name) => !name.endsWith('.ts') && name !== 'cli')
    expect(told).toEqual({ ...Object.fromEntries(rooms.map((room) => [room, mayKnow[room]])), cli: [] })
  })
})

describe('loading', () => {
  test('format is pure: no package and nothing of Node', () => {
    expect(names(imports.filter(({ from, isPackage }) => roomOf(from) === 'format' && isPackage))).toEqual([])
    expect(imports.filter(({ from }) => from === 'errors.ts')).toEqual([])
  })

  test('loads no third-party package but stream-chain in chain and the client of NATS in jetstream', () => {
    const foreign = imports.filter(({ to, isPackage, isLoaded }) => isPackage && isLoaded && !isBuiltin(to))
    expect(names(foreign)).toEqual([
      'chain/index.ts → stream-chain',
      'jetstream/message.ts → @nats-io/transport-node',
    ])
    const chains = imports.filter(({ to }) => to === 'stream-chain')
    expect(chains.map(({ from }) => roomOf(from))).toEqual(['chain'])
  })

  test('the entry of the command loads nothing before it knows the command', () => {
    const loaded = imports.filter(({ from, isLoaded }) => from === 'cli/index.ts' && isLoaded)
    expect(names(loaded)).toEqual(['cli/index.ts → node:fs'])
    const eager = imports.filter(({ to, isLoaded }) => to.startsWith('cli/commands/') && isLoaded)
    expect(names(eager)).toEqual([])
  })

  test('only the clock of the mock sources uses the global timers and the global time, which tests fake', () => {
    const fakeable =
      /(?<![\w.#])(setTimeout|setInterval|setImmediate|queueMicrotask)\(|process\.nextTick|performance\.now/
    const faked = modules.filter((path) => {
      // users' tests do not run the process that captures, nor the command
      if (/^(cli|sources\/capture)\//.test(path) || path === 'streams/clock.ts' || path === 'realTimers.ts')
        return false
      const code = readFileSync(join(src, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      return fakeable.test(code) && !/from '(\.\.?\/)+realTimers\.ts'/.test(code)
    })
    expect(faked).toEqual([])
  })

  test('uses only documented features of Node', () => {
    const undocumented =
      /\b(_readableState|_writableState|writableBuffer|_events|_handle|_handles|_getActive\w+)\b|Symbol\(k|process\.binding|getOwnPropertySymbols/
    const using = modules.filter((path) => undocumented.test(readFileSync(join(src, path), 'utf8')))
    expect(using).toEqual([])
  })

  test('index.ts re-exports and does nothing else', () => {
    const code = readFileSync(join(src, 'index.ts'), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    const rest = code.replace(/export\s+(type\s+)?\{[^}]*\}\s+from\s+'[^']+';?/g, '').trim()
    expect(rest).toBe('')
  })

  test('no room is called utils, misc or helpers', () => {
    expect(modules.filter((path) => /util|misc|helper|common/i.test(path))).toEqual([])
  })
})
