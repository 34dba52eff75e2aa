/** A file or an error that differs from the model. */
export class Divergence extends Error {
  /** @override */
  name = 'Divergence'
}

/** @param {string} why @returns {never} */
export function fail(why) {
  throw new Divergence(why)
}

/** Milliseconds after which something that should settle is said to hang. */
const PATIENCE = 120_000

/** @template T @param {Promise<T>} promise @param {string} what @returns {Promise<T>} */
export function settles(promise, what) {
  /** @type {NodeJS.Timeout} */
  let timer
  const hangs = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Divergence(`${what} hangs`)), PATIENCE)
  })
  return /** @type {Promise<T>} */ (Promise.race([promise, hangs]).finally(() => clearTimeout(timer)))
}

/** The error of a call, which must be a WavespoolError with one of these codes. @param {() => unknown} call @param {string[]} codes @param {string} what */
export async function refused(call, codes, what) {
  try {
    await settles(Promise.resolve(call()), what)
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error)
    if (error instanceof Divergence) throw error
    if (!codes.includes(code ?? '')) fail(`${what} failed with ${/** @type {Error} */ (error).stack}`)
    return
  }
  fail(`${what} went well`)
}

/** Where two Buffers part. @param {Buffer} got @param {Buffer} expected */
export function differ(got, expected) {
  const at = got.findIndex((byte, i) => byte !== expected[i])
  const [one, other] = [got, expected].map((bytes) => bytes.subarray(at, at + 8).toString('hex'))
  return `${got.length} bytes, ${expected.length} expected; at ${at} ${one} instead of ${other}`
}
