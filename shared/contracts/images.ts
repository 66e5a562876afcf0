// Images that are present on workers. Like http.ts a browser may import this file.

export interface ImageBody {
  /** As a task would name it, e.g. `python:3.9`. */
  image: string;
  size_bytes: number | null;
  /** Workers that have it now, in order of id; at most 20 of them. */
  workers: string[];
  /** How many have it. */
  worker_count: number;
}

export interface ImageListReply {
  /** Those on most workers first, then by name; at most 1,000. */
  images: ImageBody[];
}
