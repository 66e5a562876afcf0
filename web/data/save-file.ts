// Hands bytes from the API to the browser's own saving of files. The token goes in a header, so a plain link would not
// do; the browser keeps large bodies on disk.

/** Reads the stream to its end and asks the browser to save it. Throws what the stream fails with. */
export async function saveFile(body: ReadableStream<Uint8Array>, name: string, type: string): Promise<void> {
  const blob = await new Response(body, { headers: { 'content-type': type } }).blob();
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the browser begins to read after this turn of the loop.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
