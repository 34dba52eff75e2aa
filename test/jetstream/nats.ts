import { spawnSync } from 'node:child_process'
import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type Servers, startServers } from '../../examples/service/servers.mjs'

/** Why these tests cannot run here; CI must have the server. */
export const whyNoNats =
  spawnSync('nats-server', ['--version']).error && !process.env.CI
    ? 'nats-server is not installed here (Debian: apt-get install nats-server)'
    : undefined
if (whyNoNats) console.warn(whyNoNats)

export interface Nats {
  servers: Servers
  js: JetStreamClient
  /** Another client, of the server with this index as long as that runs. */
  connect(first?: number): Promise<JetStreamClient>
  stop(): Promise<void>
}

/** One server, or a cluster, with a client that goes on trying to reach it. */
export async function startNats(count: number): Promise<Nats> {
  const servers = await startServers(count)
  const connections: Awaited<ReturnType<typeof connect>>[] = []
  const open = async (first = 0) => {
    const connection = await connect({
      servers: [...servers.urls.slice(first), ...servers.urls.slice(0, first)],
      noRandomize: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      waitOnFirstConnect: true,
    })
    connections.push(connection)
    return jetstream(connection)
  }
  const stop = async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await servers.stop()
  }
  return { servers, js: await open(), connect: open, stop }
}
