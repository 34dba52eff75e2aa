/**
 * Two rates without their common divisor: `to` samples of the second last as long as `from` of the first.
 *
 * @param from Hz, a whole number
 * @param to Hz, a whole number
 */
export function reduceRates(from: number, to: number): { from: number; to: number } {
  let [divisor, rest] = [from, to]
  while (rest !== 0) [divisor, rest] = [rest, divisor % rest]
  return { from: from / divisor, to: to / divisor }
}
