// What the form for a new task is made of.

import type { Elements } from '../../elements/define.ts';
import { SubmitPage } from './submit-page.ts';

export const elements: Elements = { 'submit-page': SubmitPage };
