import { PassThrough, Readable, type Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { chain } from '../../src/chain/index.ts'
import { chunk, limit, pcmFormat, readWavHeader, VirtualFile, wavHeader } from '../../src/index.ts'
import { openBelow, settles } from '../sinks/contract/outcomes.ts'
import { closed, FailingStorage, placeOf, storages } from '../sinks/storageContract.ts'

// Every storage, in every composition, with every fault in the middle of it. In each case the recording settles as it
// should; the file is a prefix of the input, behind a right header; a follower gets the same bytes, and an error if and
// only if the recording failed; and dispose() leaves nothing behind. The long form, part of
// `npm run soak`, has each fault at every moment: SOAK=1.

const format = pcmFormat()
const PIECE = 640
const PIECES = 24
/** in front of which piece the fault strikes */
const moments = process.env.SOAK ? Array.from({ length: PIECES }, (_, i) => i) : [10]

/** Frame i says i. */
const said = Buffer.alloc(PIECE * PIECES)
for (let i = 0; i < said.length; i += 2) said.writeUInt16LE(i / 2, i)

/** One run of a cell: the objects that a fault can reach. */
interface Run {
  moment: number
  file: VirtualFile
  controller: AbortController
  /** the stream between the source and the file that a fault may destroy */
  stage: PassThrough
  /** thrown by the source where it is set */
  sourceError?: Error
  follower: Readable
}

/** The source: its audio piece by piece, with the fault in the middle. */
async function* speak(run: Run, strike: (run: Run) => unknown): AsyncGenerator<Buffer> {
  for (let i = 0; i < PIECES; i++) {
    if (i === run.moment) await strike(run)
    if (run.sourceError) throw run.sourceError
    yield said.subarray(i * PIECE, (i + 1) * PIECE)
    await turn()
  }
}

const bytesFrom = (pieces: AsyncIterable<Buffer>) => Readable.from(pieces, { objectMode: false })

type Compose = (pieces: AsyncIterable<Buffer>, run: Run) => Promise<unknown>
const stages = (run: Run): Transform[] => [
  limit(format, { seconds: 60 }),
  chunk(format, { milliseconds: 7 }),
  run.stage,
  wavHeader(format),
]

const compositions: Record<string, Compose> = {
  'pipeline()': (pieces, { file, stage, controller: { signal } }) =>
    pipeline(bytesFrom(pieces), stage, wavHeader(format), file, { signal }),
  'pipeline() of many stages': (pieces, run) =>
    pipeline([bytesFrom(pieces), ...stages(run), run.file], { signal: run.controller.signal }),
  'pipeline() with a generator': (pieces, { file, stage, controller: { signal } }) =>
    pipeline(
      pieces,
      async function* (source) {
        for await (const piece of source) yield piece
      },
      stage,
      wavHeader(format),
      file,
      { signal },
    ),
  'chain()': (pieces, run) =>
    pipeline(bytesFrom(pieces), chain(stages(run)), run.file, { signal: run.controller.signal }),
  'chain() with the file': (pieces, { file, stage, controller: { signal } }) =>
    pipeline(bytesFrom(pieces), stage, chain([chunk(format, { milliseconds: 7 }), wavHeader(format), file]), {
      signal,
    }),
  'pipe()': (pieces, { file, stage, controller: { signal } }) => {
    const source = bytesFrom(pieces)
    const header = wavHeader(format)
    // pipe() hands on no error: its user does
    for (const stream of [source, stage, header]) stream.on('error', (error) => file.destroy(error))
    signal.addEventListener('abort', () => file.destroy(signal.reason))
    file.on('close', () => source.destroy())
    source.pipe(stage).pipe(header).pipe(file)
    return closed(file).then(() => {
      if (file.errored) throw file.errored
      if (!file.writableFinished) throw new Error('ended too early')
    })
  },
  'streams of the Web': (pieces, { file, stage, controller: { signal } }) => {
    const source = Readable.toWeb(bytesFrom(pieces).pipe(stage).pipe(wavHeader(format)))
    stage.on('error', () => {})
    return source.pipeTo(Writable.toWeb(file), { signal })
  },
  'writes by hand': async (pieces, { file, controller: { signal }, stage }) => {
    stage.on('error', (error) => file.destroy(error))
    signal.addEventListener('abort', () => file.destroy(signal.reason))
    const write = (bytes: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        file.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
    const header = wavHeader(format)
    await write(await new Promise<Buffer>((resolve) => header.once('data', resolve).end()))
    try {
      for await (const piece of pieces) await write(piece)
    } catch (error) {
      file.destroy(error as Error)
      throw error
    }
    await finished(file.end())
  },
}

interface Strike {
  strike(run: Run): unknown
  /** the recording goes on to its end */
  isHarmless?: boolean
  /** the file is disposed of, and cannot be read afterwards */
  isDisposed?: boolean
  /** it strikes where as much room is left as a storage has that is full */
  hasLimit?: boolean
  /** compositions whose promise does not report it */
  untold?: string[]
  /** compositions in which it has no effect, or in which the user decides on its effect */
  except?: string[]
}

const strikes: Record<string, Strike> = {
  nothing: { strike() {}, isHarmless: true },
  'the source fails': {
    strike(run) {
      run.sourceError = new Error('the microphone is gone')
    },
    // pipe() does not hand on the error of a Readable
    except: ['streams of the Web'],
  },
  'a signal is aborted': { strike: ({ controller }) => controller.abort() },
  'the file is destroyed': {
    strike: ({ file }) => file.destroy(),
    // From Node 24 on, pipeTo() into any Writable that is destroyed without an error rejects or resolves as it comes.
    untold: Number.parseInt(process.versions.node, 10) >= 24 ? ['streams of the Web'] : [],
  },
  'the file is destroyed with an error': { strike: ({ file }) => file.destroy(new Error('enough')) },
  'a stage is destroyed with an error': {
    strike: ({ stage }) => stage.destroy(new Error('a stage is broken')),
    except: ['streams of the Web'],
  },
  'maxBytes is reached': { strike() {}, hasLimit: true },
  'dispose()': { strike: ({ file }) => void file.dispose(), isDisposed: true },
  'dispose() is awaited': { strike: ({ file }) => file.dispose(), isDisposed: true },
  'the follower is destroyed': { strike: ({ follower }) => follower.destroy(), isHarmless: true },
  'readers that never read': {
    strike({ file }) {
      file.createReadStream({ follow: true }).read(0)
      file.createReadStream().read(0)
    },
    isHarmless: true,
  },
  'a reader that reads all at every moment': {
    async strike({ file, moment }) {
      const hasSamples = moment > 1 // behind the stages
      while (hasSamples && file.size < 44 + PIECE && !file.closed) await turn()
      const all = [file.toBuffer(), file.toFile(), file.withPath(() => {})]
      await Promise.all(hasSamples ? [...all, file.toInt16()] : all)
    },
    isHarmless: true,
  },
}

/** The room for all that is said before a moment, and for a part of the piece behind it. */
const roomAt = (moment: number) => 44 + PIECE * moment + 101

const table = moments.flatMap((moment) => [
  ...storages.map((storage) => ({ ...storage, moment, isFull: false })),
  { label: 'own, that is full', make: () => new FailingStorage(roomAt(moment)), moment, isFull: true },
])

/** The bytes that a reader got, and the error that it ended with. */
async function followed(stream: Readable): Promise<{ bytes: Buffer; error: Error | undefined }> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of stream) pieces.push(piece)
    return { bytes: Buffer.concat(pieces), error: undefined }
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error: error as Error }
  }
}

function expectPrefix(bytes: Buffer): number {
  if (bytes.length === 0) return 0
  const { dataStart, dataBytes } = readWavHeader(bytes)!
  const data = bytes.subarray(dataStart)
  expect(data.length).toBe(dataBytes)
  expect(data.equals(said.subarray(0, data.length))).toBe(true)
  return data.length
}

let cells = 0
afterAll(() => console.log(`${cells} cells`))

describe.each(table)('$label, piece $moment', ({ make, moment, isFull }) => {
  describe.each(Object.entries(compositions))('%s', (composition, compose) => {
    const faults = Object.entries(strikes).filter(([, { except }]) => !except?.includes(composition))
    test.each(faults)('%s', async (_label, { strike, isHarmless, isDisposed, hasLimit, untold }) => {
      cells += 1
      const storage = make()
      const file = new VirtualFile({ storage, ...(hasLimit && { maxBytes: roomAt(moment) }) })
      file.on('error', () => {})
      const follower = file.createReadStream({ follow: true })
      const following = followed(follower)
      const controller = new AbortController()
      const run: Run = { moment, file, controller, stage: new PassThrough(), follower }
      const outcome = await settles(
        compose(speak(run, strike), run).then(
          () => undefined,
          (error: Error) => error ?? new Error('rejected with nothing'),
        ),
        'the recording',
      )
      const isGood = isHarmless === true && !isFull
      if (isGood) expect(outcome).toBeUndefined()
      else if (!isDisposed && !untold?.includes(composition)) expect(outcome).toBeInstanceOf(Error)
      if (isFull && isHarmless) expect(outcome).toMatchObject({ code: 'ERR_WAVESPOOL_STORAGE' })
      if (hasLimit && !isFull) expect(outcome).toMatchObject({ code: 'ERR_WAVESPOOL_FULL' })
      await settles(closed(file), "'close'")
      const { bytes, error } = await settles(following, 'the follower')
      if (!isDisposed) {
        const read = await file.toBuffer()
        const length = expectPrefix(read)
        if (isGood) expect(length).toBe(said.length)
        else if (moment > 1) expect(length).toBeGreaterThan(0)
        if (hasLimit || isFull) expect(length).toBeLessThanOrEqual(PIECE * moment + 101)
        if (_label !== 'the follower is destroyed') {
          expect(bytes.subarray(44).equals(read.subarray(44))).toBe(true)
          expect(error === undefined, `the follower ended with ${error}`).toBe(isGood)
        }
        expect((await file.toFile()).size).toBe(read.length)
      }
      await settles(file.dispose(), 'dispose()')
      const { directory } = placeOf(storage)
      if (directory) expect(openBelow(directory)).toEqual([])
    })
  })
})
