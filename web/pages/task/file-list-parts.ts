// The looks of a task's list of files. No state.

import { css } from 'lit';
import { Braces, File as FileIcon, FileText, type IconNode, Image, Table } from 'lucide';
import type { FileBody } from '../../../shared/contracts/files.ts';
import { type FileKind, fileKind } from '../../data/file-kinds.ts';

const ICONS: Readonly<Record<FileKind, IconNode>> = {
  text: FileText,
  json: Braces,
  table: Table,
  image: Image,
  other: FileIcon,
  unknown: FileIcon,
};

export function fileIcon({ path, content_type }: FileBody): IconNode {
  return ICONS[fileKind({ path, contentType: content_type })];
}

export const fileListStyles = css`
  .head { margin-bottom: var(--space-3); }
  .attempt { margin: 0; }
  .attempt select { width: auto; min-height: 1.875rem; padding: 0.1rem 0.4rem; font-size: var(--text-small); }
  .find { max-width: 22rem; margin-bottom: var(--space-2); }
  h3 { margin-top: var(--space-4); padding-bottom: var(--space-1); font-family: var(--mono); color: var(--ink); overflow-wrap: anywhere; }
  h3 span { font-family: var(--font); font-weight: 400; color: var(--ink-soft); margin-left: var(--space-2); }
  ul.inside { padding-left: var(--space-3); border-left: 2px solid var(--line); }
  li { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 11rem) 5.5rem auto; gap: var(--space-3); align-items: center; min-height: 2.375rem; border-bottom: 1px solid var(--line); }
  li:last-child { border-bottom: 0; }
  li:hover { background: color-mix(in srgb, var(--sunken) 55%, transparent); }
  .name { display: flex; gap: var(--space-2); align-items: baseline; min-width: 0; padding: var(--space-1) 0; }
  .name span { overflow-wrap: anywhere; }
  .name svg-icon { color: var(--ink-soft); align-self: center; }
  .size { text-align: right; white-space: nowrap; }
  .act { display: flex; }
  .more { padding-top: var(--space-3); text-align: center; }
  @media (max-width: 44rem) {
    li { grid-template-columns: minmax(0, 1fr) auto auto; gap: var(--space-2); }
    .type { display: none; }
  }
`;
