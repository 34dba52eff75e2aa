/** A listener takes the arguments that its event is emitted with. */
type Listener<Told> = (...told: Told extends unknown[] ? Told : never) => void

/**
 * The methods of a stream that take listeners, for the events which it has beside those of Node: by name, each with the
 * list of its arguments, `{ gap: [gap: Gap] }`. TypeScript tries these signatures before those of Node.
 *
 * `'data'` has a signature of its own, as a literal goes before a generic name.
 */
export interface Emitting<Events extends object, Data> {
  on(event: 'data', listener: (chunk: Data) => void): this
  on<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  once(event: 'data', listener: (chunk: Data) => void): this
  once<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  off(event: 'data', listener: (chunk: Data) => void): this
  off<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  addListener(event: 'data', listener: (chunk: Data) => void): this
  addListener<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  removeListener(event: 'data', listener: (chunk: Data) => void): this
  removeListener<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  prependListener(event: 'data', listener: (chunk: Data) => void): this
  prependListener<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
  prependOnceListener(event: 'data', listener: (chunk: Data) => void): this
  prependOnceListener<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): this
}

/**
 * A class of streams with events of its own, as the base of another one:
 * `class Reader extends (Stage as WithEvents<typeof Stage, ReaderEvents>)`.
 */
export type WithEvents<Base, Events extends object, Data = Buffer> = Mixin<Emitting<Events, Data>> & Base

// biome-ignore lint/suspicious/noExplicitAny: a mixin takes any arguments, says TypeScript
type Mixin<T> = new (...args: any[]) => T
