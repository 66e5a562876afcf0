import { describe, expect, it } from 'vitest';
import { endingOf, fileKind, imageType, textOf } from './file-kinds.ts';

const kind = (path: string, contentType = 'application/octet-stream') => fileKind({ path, contentType });

describe('the kind of a file', () => {
  it('follows from its name, then from its declared type', () => {
    expect(kind('a/b/scores.CSV')).toBe('table');
    expect(kind('scores', 'text/csv; charset=utf-8')).toBe('table');
    expect(kind('plot.png')).toBe('image');
    expect(kind('plot', 'image/webp')).toBe('image');
    expect(kind('config.json', 'text/plain')).toBe('json');
    expect(kind('x', 'application/ld+json')).toBe('json');
    expect(kind('README.md', 'text/markdown')).toBe('text');
    expect(kind('train.log')).toBe('text');
    expect(kind('page.html', 'text/html')).toBe('text');
    expect(kind('weights')).toBe('unknown');
    expect(kind('model.pt')).toBe('unknown');
    expect(kind('paper.pdf', 'application/pdf')).toBe('other');
    expect(kind('clip.mp4', 'video/mp4')).toBe('other');
  });

  it('never lets a claimed type choose what the browser draws', () => {
    expect(imageType({ path: 'x.svg', contentType: 'text/html' })).toBe('image/svg+xml');
    expect(imageType({ path: 'x', contentType: 'image/svg+xml; charset=utf-8' })).toBe('image/svg+xml');
    expect(imageType({ path: 'x', contentType: 'image/x-unheard-of' })).toBeNull();
    expect(imageType({ path: 'x.txt', contentType: 'image/png' })).toBeNull();
    expect(imageType({ path: 'x.constructor', contentType: '' })).toBeNull();
  });

  it('knows endings', () => {
    expect(endingOf('a.b/c')).toBe('');
    expect(endingOf('.profile')).toBe('');
    expect(endingOf('a/x.tar.GZ')).toBe('gz');
  });
});

describe('bytes', () => {
  it('are text when they read as such', () => {
    expect(textOf(new TextEncoder().encode('grüße\n'))).toBe('grüße\n');
    expect(textOf(Uint8Array.of(0xff, 0xfe, 0x68, 0, 0x69, 0))).toBe('hi');
    expect(textOf(Uint8Array.of(0x89, 0x50, 0, 1))).toBeNull();
    expect(textOf(Uint8Array.from({ length: 100 }, (_, index) => 0x80 + (index % 64)))).toBeNull();
  });

  it('may end within a character', () => {
    expect(textOf(new TextEncoder().encode('a€').slice(0, 3))).toBe('a');
  });
});
