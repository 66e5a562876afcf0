import { describe, expect, it } from 'vitest';
import {
  labelOptions,
  metWords,
  NEW_TERM,
  termFaults,
  termRows,
  termsOf,
  valueOptions,
} from './term-rows.ts';

const workers = [
  { state: 'ready', labels: { disk: 'ssd', zone: 'a' } },
  { state: 'ready', labels: { disk: 'ssd' } },
  { state: 'cordoned', labels: { disk: 'hdd', spot: '' } },
];
const row = (name: string, values: string) => ({ name, values });

describe('labels in the form', () => {
  it('are lines of a name and the values that will do', () => {
    expect(termsOf([row(' disk ', 'ssd, nvme|ssd'), row('spot', '""'), NEW_TERM])).toEqual({
      disk: ['ssd', 'nvme'],
      spot: [''],
    });
    expect(termRows({ disk: ['ssd', 'nvme'], spot: [''] })).toEqual([
      row('disk', 'ssd, nvme'),
      row('spot', '""'),
    ]);
    expect(termsOf([row('disk', ''), row('', 'ssd')])).toEqual({});
  });

  it('are wrong by the line', () => {
    const rows = [
      row('disk', ''),
      row('', 'ssd'),
      row('a b', 'x'),
      row('zone', 'ä'),
      row('disk', 'x'),
      NEW_TERM,
    ];
    expect(termFaults(rows, 'prefer').map(({ field, message }) => [field, message.slice(0, 14)])).toEqual([
      ['prefer.disk', 'Say which valu'],
      ['prefer.', 'Name the label'],
      ['prefer.a b', 'The name of a '],
      ['prefer.zone', '“ä” is no valu'],
      ['prefer.disk', 'disk is there '],
    ]);
  });

  it('are suggested from those of the workers', () => {
    expect(labelOptions(workers, [row('zone', 'a'), NEW_TERM], 1).map(({ value }) => value)).toEqual([
      'disk',
      'spot',
    ]);
    expect(labelOptions(workers, [row('zone', 'a')], 0)[0]).toEqual({ value: 'disk', hint: 'on 3 workers' });
    expect(valueOptions(workers, row('disk', ''))).toEqual([
      { value: 'ssd', hint: 'on 2 workers' },
      { value: 'hdd', hint: 'on 1 worker' },
    ]);
    expect(valueOptions(workers, row('disk', 'ssd, h')).map(({ value }) => value)).toEqual(['ssd, hdd']);
    expect(valueOptions(workers, row('spot', ''))[0]?.value).toBe('""');
    expect(valueOptions(workers, row('constructor', ''))).toEqual([]);
  });

  it('are held against the workers that are there', () => {
    expect(metWords(workers, [row('disk', 'ssd')])).toBe('2 of 3 workers have all of it.');
    expect(metWords(workers, [row('disk', 'tape')])).toBe('None of 3 workers have all of it.');
    expect(metWords(workers, [NEW_TERM])).toBe('');
  });
});
