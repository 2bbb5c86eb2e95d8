/** The bundler compiles what it uploads: the platform compiles nothing at run time. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
