// A style sheet of a package as text, for an element's own styles: Vite reads it so.
declare module '*.css?inline' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: this is how Vite hands it over
  export default text;
}
