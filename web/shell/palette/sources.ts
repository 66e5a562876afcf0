// Where the entries of the palette come from: pages and actions at once, tasks and workers as the API finds them.

import {
  Activity,
  CircleUser,
  CircleX,
  ClipboardCopy,
  Clock,
  FolderOpen,
  KeyRound,
  LayoutDashboard,
  ListOrdered,
  ListTodo,
  LogOut,
  Play,
  Plus,
  ScrollText,
  Server,
  SquareTerminal,
  SunMoon,
  TableProperties,
  Users,
  Webhook,
} from 'lucide';
import type { UserBody } from '../../../shared/contracts/http.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import { type Deed, may } from '../../../shared/model/rights.ts';
import type { Session } from '../../data/session.ts';
import type { PaletteEntry } from './entries.ts';

/** More than that nobody looks through. */
const MOST_TASKS = 8;
const MOST_WORKERS = 6;

const go = (label: string, href: string, icon: PaletteEntry['icon'], words = ''): PaletteEntry => ({
  id: `go ${href}`,
  group: 'Go to',
  label,
  words,
  icon,
  run: { href },
});
const act = (
  label: string,
  action: Extract<PaletteEntry['run'], { action: unknown }>['action'],
  icon: PaletteEntry['icon'],
  words = '',
): PaletteEntry => ({ id: `do ${action}`, group: 'Do', label, words, icon, run: { action } });

export function fixedEntries(user: UserBody): readonly PaletteEntry[] {
  const who = (deed: Deed, entry: PaletteEntry) => (may(user, deed) ? [entry] : []);
  return [
    ...who('task.submit', go('Submit a task', '/submit', Plus, 'new run create')),
    go('Overview', '/', LayoutDashboard, 'home cluster plots'),
    go('Tasks', '/tasks', ListTodo, 'list'),
    go('Running tasks', '/tasks?status=running', Play),
    go('Failed tasks', '/tasks?status=failed', CircleX, 'errors'),
    go('Waiting tasks', '/tasks?status=queued', Clock, 'queued pending'),
    go('Queue', '/queue', ListOrdered, 'order waits eta'),
    go('Workers', '/cluster', Server, 'machines nodes'),
    go('Files', '/files', FolderOpen, 'uploads outputs artifacts'),
    go('Account', '/account', CircleUser, 'password profile sign-in'),
    go('API tokens', '/account?view=tokens', KeyRound, 'scripts'),
    go('Webhooks', '/account?view=webhooks', Webhook, 'notifications'),
    ...who('user.see', go('Users', '/admin', Users, 'admin accounts roles quotas')),
    ...who('audit.see', go('Audit log', '/audit', ScrollText, 'who did what history')),
    ...who(
      'queue_board.open',
      act('Open the BullMQ queues', 'queue-board', TableProperties, 'bull board redis jobs'),
    ),
    act('Change the theme', 'theme', SunMoon, 'dark light'),
    act('Copy the address of this page', 'copy-address', ClipboardCopy, 'link share'),
    act('Sign out', 'sign-out', LogOut, 'leave'),
    go('Sign out everywhere', '/account?view=password', LogOut, 'sessions devices lost'),
  ];
}

/** Tasks and workers that go by what was typed. @throws ApiError, ConnectionError */
export async function foundEntries(
  session: Session,
  query: string,
  signal: AbortSignal,
): Promise<readonly PaletteEntry[]> {
  const text = query.trim();
  if (text === '') return [];
  const [{ tasks }, workers] = await Promise.all([
    session.client.listTaskSummaries({ q: text, limit: MOST_TASKS }, { signal }),
    session.client.listWorkers({ signal }),
  ]);
  const known = workers
    .filter(({ worker_id }) => worker_id.toLowerCase().includes(text.toLowerCase()))
    .slice(0, MOST_WORKERS);
  return [...tasks.map(taskEntry), ...known.map(workerEntry)];
}

function taskEntry({ task_id, name, status, docker_image }: TaskSummaryBody): PaletteEntry {
  return {
    id: task_id,
    group: 'Tasks',
    label: name || task_id,
    hint: `${status} · ${docker_image}`,
    icon: status === 'running' ? Activity : SquareTerminal,
    run: { href: `/tasks/${task_id}` },
  };
}

function workerEntry({ worker_id, state }: WorkerBody): PaletteEntry {
  return {
    id: `worker ${worker_id}`,
    group: 'Workers',
    label: worker_id,
    hint: state,
    icon: Server,
    run: { href: `/cluster/${worker_id}` },
  };
}
