import { File } from 'node:buffer'
import { createServer } from 'node:http'

/**
 * A service on this machine that takes whole requests.
 *
 * @typedef {{ method: string, path: string, headers: Headers, body: Buffer, json: () => any,
 *   form: () => Promise<FormData> }} Asked
 * @param {(asked: Asked) => unknown} answer its result is sent as JSON; an error is sent as a status of 500
 */
export async function httpService(answer) {
  const server = createServer(async (request, response) => {
    const pieces = []
    for await (const piece of request) pieces.push(piece)
    const body = Buffer.concat(pieces)
    const headers = new Headers(/** @type {Record<string, string>} */ (request.headers))
    const { method = '', url = '' } = request
    const form = () => new Response(body, { headers }).formData()
    const json = () => JSON.parse(body.toString())
    response.setHeader('content-type', 'application/json')
    try {
      response.end(JSON.stringify(await answer({ method, path: url, headers, body, form, json })))
    } catch (error) {
      response.statusCode = 500
      response.end(JSON.stringify({ error: { message: String(error) } }))
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A file of a form as it arrived. @param {string | File | null} entry */
export async function arrivedFile(entry) {
  if (!(entry instanceof File)) return { bytes: Buffer.from(String(entry)) }
  return { name: entry.name, type: entry.type, bytes: Buffer.from(await entry.arrayBuffer()) }
}

/**
 * A service that takes one form with a `file`, and fails as often as it is told.
 *
 * @param {{ path: string, failures: number, answer: unknown }} options
 */
export async function formService({ path, failures, answer }) {
  /** @type {import('../line.mjs').Arrival[]} */
  const arrivals = []
  const service = await httpService(async (asked) => {
    if (asked.method !== 'POST' || asked.path !== path) throw new Error(`${asked.method} ${asked.path}`)
    arrivals.push(await arrivedFile((await asked.form()).get('file')))
    if (arrivals.length <= failures) throw new Error('try again')
    return answer
  })
  return { ...service, arrived: () => arrivals }
}
