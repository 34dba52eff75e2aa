// @ts-nocheck: run as it is by every Node version
// `node matrix.mjs <root>...` runs every composition behind these roots at once, prints a line of JSON for each, and
// has to exit by itself.
import { compositions } from './compositions.mjs'
import { cleanUp, pattern, roots } from './roots.mjs'

/** Milliseconds: everything runs at once, and a busy machine takes its time. A stream that hangs does so for longer. */
const patience = 60_000
/** Before Node 24 these web streams end at the cap, and do not notice the end of the source afterwards. */
const blind =
  Number.parseInt(process.versions.node, 10) < 24 ? 'Readable.toWeb() through Duplex.toWeb()' : undefined

const within = async (promise, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${patience} ms`)), patience)
  })
  await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function check(rootName, compositionName) {
  const composition = compositions[compositionName]
  const { cap, got } = composition
  let stage = 'the source'
  try {
    const { stream, freed, rejects } = await roots[rootName](cap)
    stage = 'the pipeline'
    const outcome = await within(composition(stream), 'the pipeline').then(
      () => undefined,
      (error) => error,
    )
    if (outcome?.message !== (compositionName === blind ? undefined : rejects)) {
      throw outcome ?? new Error('should have rejected')
    }
    stage = 'the bytes'
    const bytes = got.get(stream).bytes()
    if (!bytes.equals(pattern(0, outcome ? bytes.length : cap))) {
      throw new Error(
        `${bytes.length} bytes for ${cap}, ${bytes.equals(pattern(0, bytes.length)) ? 'a true part' : 'other ones'}`,
      )
    }
    stage = 'the resource'
    await within(freed(), 'freeing the resource')
  } catch (error) {
    return `${stage}: ${error?.code ?? ''} ${error?.message ?? error}`
  }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(roots)
await Promise.all(
  names.flatMap((root) =>
    Object.keys(compositions).map(async (composition) => {
      const failure = await check(root, composition)
      console.log(JSON.stringify({ root, composition, failure }))
    }),
  ),
)
await cleanUp()
