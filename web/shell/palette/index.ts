// What the command palette is made of; fetched when it is first opened.

import type { Elements } from '../../elements/define.ts';
import { CommandPalette } from './command-palette.ts';

export const elements: Elements = { 'command-palette': CommandPalette };
export type { ActionEvent, CommandPalette } from './command-palette.ts';
