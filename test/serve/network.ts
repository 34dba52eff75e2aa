import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A network in front of a server, which stalls and breaks when told. */
export class Network implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isStalled = false

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => {})
        from.on('close', () => {
          this.#sockets.delete(from)
          to.destroy()
        })
        from.on('data', (bytes) => to.write(bytes))
        if (this.#isStalled) from.pause()
      }
    })
  }

  static async to(port: number): Promise<Network> {
    const network = new Network(port)
    network.#server.listen(0, '127.0.0.1')
    await once(network.#server, 'listening')
    return network
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Nothing goes through for so long, but no connection ends. */
  async stall(milliseconds: number): Promise<void> {
    this.#isStalled = true
    for (const socket of this.#sockets) socket.pause()
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    this.#isStalled = false
    for (const socket of this.#sockets) socket.resume()
  }

  /** Every connection breaks off. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
  }
}
