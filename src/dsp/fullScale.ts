/** The number that is 1 in samples of 8, 16, 24 and 32 bits. */
export const FULL_SCALE_8 = 2 ** 7
export const FULL_SCALE_16 = 2 ** 15
export const FULL_SCALE_24 = 2 ** 23
export const FULL_SCALE_32 = 2 ** 31
