import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pageServer, type RecordingPageOptions, recordingPage } from '../../src/serve/index.ts'

const tapWorklet = join(import.meta.dirname, 'inPage/tap-worklet.js')

/** A page in a folder of its own, served on loopback. */
export class Served implements AsyncDisposable {
  readonly folder: string
  readonly server: Server
  readonly lines: string[]
  readonly #close: () => Promise<void>

  private constructor(folder: string, server: Server, lines: string[], close: () => Promise<void>) {
    this.folder = folder
    this.server = server
    this.lines = lines
    this.#close = close
  }

  static async start(options: RecordingPageOptions = {}): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), 'wavespool-serve-'))
    const lines: string[] = []
    const page = recordingPage(folder, { log: (line) => lines.push(line), ...options })
    const server = pageServer(page)
    // Beside the page's own files it serves the worklet that records the sound in the tests, as requests of worklets
    // cannot be intercepted.
    const [answerPage] = server.listeners('request') as RequestListener[]
    server.removeAllListeners('request').on('request', async (request, answer) => {
      if (request.url !== '/tap-worklet.js') return answerPage!(request, answer)
      answer.setHeader('content-type', 'text/javascript').end(await readFile(tapWorklet))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Served(folder, server, lines, () => page.close())
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, { headers })
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const all = { 'content-type': 'application/json', ...headers }
    return fetch(this.url + path, { method: 'POST', body: JSON.stringify(body), headers: all })
  }

  /** Begins a recording; returns its name. */
  async begin(body: Record<string, unknown> = {}): Promise<string> {
    const response = await this.post('recordings', { microphone: 'computer', ...body })
    const { name, error } = (await response.json()) as { name: string; error?: string }
    if (error) throw new Error(error)
    return name
  }

  async stop(name: string): Promise<void> {
    const response = await this.post(`recordings/${name}/stop`, {})
    await response.arrayBuffer()
  }

  /** Ends the recordings and the server; the folder stays. */
  async close(): Promise<void> {
    await this.#close()
    this.server.close()
    this.server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}
