/** The values that were asked for last, by their keys: at most so many. */
export class Latest<K, V> {
  readonly #most: number
  readonly #values = new Map<K, V>()

  constructor(most: number) {
    this.#most = most
  }

  /** Returns the value of a key, which `make` makes where none is kept. */
  get(key: K, make: () => V): V {
    const value = this.#values.get(key) ?? make()
    this.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#values.delete(key) // a Map keeps the order in which keys came
    this.#values.set(key, value)
    const [oldest] = this.#values.keys()
    if (this.#values.size > this.#most) this.#values.delete(oldest!)
  }
}
