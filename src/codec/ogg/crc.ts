/** The CRC of an Ogg page (RFC 3533): polynomial 0x04c11db7, most significant bit first, start and end 0. */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value
})

export function oggCrc(bytes: Uint8Array, crc = 0): number {
  let value = crc
  for (let i = 0; i < bytes.length; i++) value = (value << 8) ^ table[(value >>> 24) ^ bytes[i]!]!
  return value >>> 0
}
