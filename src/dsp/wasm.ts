/** The part of WebAssembly in use; Node's types have no more than its name. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object
  Memory: new (size: { initial: number }) => WasmMemory
  Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

interface WasmMemory {
  /** another one after `grow()` */
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** bytes by which a memory grows */
export const PAGE = 2 ** 16

/**
 * A module with a memory of one page.
 *
 * @throws without WebAssembly, as under --jitless, and without room for its memory: where `ulimit -v` leaves less than
 * the 8 GiB of addresses that V8 sets aside for each
 */
export function instantiate(module: Uint8Array): { exports: Record<string, unknown>; memory: WasmMemory } {
  const { Module, Memory, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const memory = new Memory({ initial: 1 })
  const { exports } = new Instance(new Module(module), { '': { memory } })
  return { exports, memory }
}
