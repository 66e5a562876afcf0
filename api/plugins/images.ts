// /api/images: what workers have on disk, so that people may choose what need not be pulled.

import type { Plugin, Server } from '@hapi/hapi';
import { imageListReplySchema } from '../../shared/contracts/worker-reply-schemas.ts';
import { documented } from '../openapi/call-doc.ts';
import type { WorkerImageLists } from '../services/worker-images.ts';

export interface ImagesOptions {
  readonly workerImages: WorkerImageLists;
}

export const imagesPlugin: Plugin<ImagesOptions> = {
  name: 'images',
  register: (server: Server, { workerImages }: ImagesOptions) => {
    server.route({
      method: 'GET',
      path: '/api/images',
      options: documented({
        id: 'listImages',
        tag: 'workers',
        summary: 'Images that lie on workers which are up, those on most of them first.',
        replies: { 200: imageListReplySchema },
      }),
      handler: () => workerImages.list(),
    });
  },
};
