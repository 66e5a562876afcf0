// /api/images: what workers have on disk, so that people may choose what need not be pulled.

import type { Plugin, Server } from '@hapi/hapi';
import type { WorkerImageLists } from '../services/worker-images.ts';

export interface ImagesOptions {
  readonly workerImages: WorkerImageLists;
}

export const imagesPlugin: Plugin<ImagesOptions> = {
  name: 'images',
  register: (server: Server, { workerImages }: ImagesOptions) => {
    server.route({ method: 'GET', path: '/api/images', handler: () => workerImages.list() });
  },
};
