// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { filePreviewElements } from '../../elements/file-dialog.ts';
import { QuotaBars } from '../../elements/quota-bars.ts';
import { FileGroupList } from './file-group-list.ts';
import { FilesPage } from './files-page.ts';
import { UploadPanel } from './upload-panel.ts';
import { UploadRows } from './upload-rows.ts';

export const elements: Elements = {
  ...filePreviewElements,
  'quota-bars': QuotaBars,
  'upload-rows': UploadRows,
  'upload-panel': UploadPanel,
  'file-group-list': FileGroupList,
  'files-page': FilesPage,
};
