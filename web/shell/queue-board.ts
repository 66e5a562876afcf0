// Opens the board of the BullMQ queues in a tab of its own. Its address takes a cookie, which is fetched first; the tab
// is opened at once, within the click, as browsers block those that come later.

import type { LitElement } from 'lit';
import type { Session } from '../data/session.ts';
import { tellFault } from './telling.ts';

export async function openQueueBoard(host: LitElement, session: Session): Promise<void> {
  const tab = open('', '_blank');
  try {
    await session.client.openQueueBoard();
    if (tab) {
      tab.opener = null;
      tab.location.href = '/queues';
    } else {
      location.href = '/queues';
    }
  } catch (error) {
    tab?.close();
    tellFault(host, 'The queues could not be opened', error);
  }
}
