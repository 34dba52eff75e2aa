/** Red, green and blue, 0 to 255. */
export const backgroundColour = [255, 255, 255] as const
export const peakColour = [143, 184, 222] as const
export const rmsColour = [38, 99, 155] as const
export const axisColour = [90, 90, 90] as const

/** How much of its share of the height the loudest sample takes. */
export const MARGIN = 0.96
