/** The CRC-8 of a frame's header (RFC 9639, 9.1.8): polynomial 0x07. */
const table8 = Uint8Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 0x80 ? (value << 1) ^ 0x07 : value << 1
  return value
})

/** The CRC-16 of a whole frame (RFC 9639, 9.3): polynomial 0x8005. Over a frame with its CRC it is 0. */
const table16 = Uint16Array.from({ length: 256 }, (_, index) => {
  let value = index << 8
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x8005 : value << 1
  return value
})

export function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let i = start; i < end; i++) crc = table8[crc ^ bytes[i]!]!
  return crc
}

export function crc16(bytes: Uint8Array, start: number, end: number, crc = 0): number {
  let value = crc
  for (let i = start; i < end; i++) value = ((value << 8) & 0xffff) ^ table16[(value >> 8) ^ bytes[i]!]!
  return value
}
