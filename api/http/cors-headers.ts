// What a web page of another origin may send and read, where CORS_ORIGINS names it. Tokens go in `authorization`, never in a
// cookie, so no page can act for somebody who did not give it one.

export const CORS_HEADERS = {
  sent: [
    'idempotency-key',
    'x-request-id',
    'if-match',
    'range',
    'tus-resumable',
    'upload-length',
    'upload-offset',
    'upload-metadata',
  ],
  read: [
    'location',
    'etag',
    'link',
    'retry-after',
    'x-request-id',
    'content-disposition',
    'content-range',
    'tus-resumable',
    'upload-offset',
    'upload-length',
  ],
} as const;
