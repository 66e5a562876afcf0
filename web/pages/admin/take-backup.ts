// A backup of all records into the browser's downloads, for admins. Never tells that it is there before it is whole: the
// length was announced, and a download that breaks off fails.

import type { LitElement } from 'lit';
import { byteSize } from '../../../client/words.ts';
import { saveFile } from '../../data/save-file.ts';
import type { Session } from '../../data/session.ts';
import { tell, tellFault } from '../../shell/telling.ts';

export async function takeBackup(host: LitElement, session: Session, now: Date): Promise<void> {
  try {
    const { body, sizeBytes } = await session.client.downloadBackup();
    await saveFile(body, backupName(now), 'application/x-tar');
    tell(
      host,
      `${byteSize(sizeBytes)} saved as ${backupName(now)}. Output, files and settings are not in it; keep it as you keep passwords.`,
    );
  } catch (error) {
    tellFault(host, 'No backup could be taken', error);
  }
}

/** In order of time when sorted by name: `cloudai-2026-01-31T120500Z.tar`. */
function backupName(now: Date): string {
  return `cloudai-${now.toISOString().slice(0, 19).replaceAll(':', '')}Z.tar`;
}
