/** A module in WebAssembly's text format, assembled where the package is built, or tested. */
declare module '*.wat' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
