// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { FilesPage } from './files-page.ts';

export const elements: Elements = { 'files-page': FilesPage };
