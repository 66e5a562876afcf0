// Which capabilities a program that is started gets, from what the kernel tells of its parent.

import { describe, expect, it } from 'vitest';
import { NET_ADMIN, passesOn } from './capabilities.ts';

const status = (effective: string, ambient: string) =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${effective}\nCapEff:\t${effective}\nCapBnd:\t${effective}\nCapAmb:\t${ambient}\nNoNewPrivs:\t1\n`;
const NONE = '0000000000000000';
const NET = '0000000000001000';
/** All but that one. */
const REST = '000001ffffffefff';

describe('a capability is passed on', () => {
  it.each([
    ['by root that has it', status('000001ffffffffff', NONE), true, true],
    ['by root with it alone', status(NET, NONE), true, true],
    ['not by root that lacks it', status(REST, NONE), true, false],
    ['by another user it is marked for', status(NET, NET), false, true],
    ['not by another user who has it for the process alone', status(NET, NONE), false, false],
    ['not where the kernel says nothing of it', 'Name:\tnode\n', true, false],
  ])('%s', (_, text, isRoot, expected) => {
    expect(passesOn(text, isRoot, NET_ADMIN)).toBe(expected);
  });
});
