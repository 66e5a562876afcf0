// Accounts as an admin sees them, their limits, and what users change of their own. Like http.ts a browser may import
// this file.

import type { Resources } from '../model/resources.ts';
import type { Quota, Role, User } from '../model/user.ts';
import { type UserBody, userBody } from './http.ts';

/** Null: no limit of its own. */
export interface QuotaBody {
  /** Tasks that have not ended, waiting ones included; more are refused when they are submitted. */
  unfinished_tasks: number | null;
  /** MB of uploads kept; more is refused when it is sent. Whole, as the one above. */
  upload_storage: number | null;
  /** Cores that assigned and running tasks may hold at a time; more tasks wait until some have ended. */
  cpu: number | null;
  /** MB, the same. */
  memory: number | null;
  /** Whole GPUs, the same. */
  gpu: number | null;
  /** Requests a second that read, averaged over a window; 0: any number; null: what the settings say. */
  rate_limit_reads: number | null;
  /** Those that write, the same. */
  rate_limit_writes: number | null;
}

/** What is held against a quota; of rates nothing is. */
export type QuotaUseBody = Record<Exclude<keyof QuotaBody, 'rate_limit_reads' | 'rate_limit_writes'>, number>;

/** What `GET /api/auth/me` answers, and one entry of `GET /api/users`. */
export interface AccountBody extends UserBody {
  /** A disabled account cannot sign in, and its tokens are refused. */
  disabled: boolean;
  quota: QuotaBody;
  /** Against the quota; MB to three decimals, rounded up. */
  used: QuotaUseBody;
}

export interface UserListReply {
  users: AccountBody[];
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

/** `POST /api/users`; the API takes no role for `user`. */
export interface NewUserBody {
  username: string;
  password: string;
  role: Role;
}

/** `PATCH /api/users/{username}`: what is absent stays. */
export interface UserChangeBody {
  role?: Role;
  disabled?: boolean;
  /** A new password: the user is signed out everywhere. */
  password?: string;
  quota?: Partial<QuotaBody>;
}

/** `POST /api/auth/password`: all other sign-ins end; the answer is a fresh one (`LoginReply`). */
export interface PasswordChangeBody {
  current_password: string;
  new_password: string;
}

/** `POST /api/auth/logout-all` and `POST /api/users/{username}/logout`; the body may be left out. */
export interface SignOutBody {
  /** Takes back all API tokens, too. */
  api_tokens: boolean;
}

/** What of an account goes out. */
export interface SeenAccount {
  readonly user: User;
  readonly used: {
    readonly unfinishedTasks: number;
    readonly uploadBytes: number;
    /** By assigned and running tasks. */
    readonly held: Pick<Resources, 'cpuMillis' | 'memoryMb' | 'gpus'>;
  };
}

export function accountBody({ user, used }: SeenAccount): AccountBody {
  const { quota } = user;
  return {
    ...userBody(user),
    disabled: user.disabled,
    quota: {
      unfinished_tasks: quota.unfinishedTasks,
      upload_storage: quota.uploadStorageMb,
      cpu: quota.cpuMillis === null ? null : quota.cpuMillis / 1_000,
      memory: quota.memoryMb,
      gpu: quota.gpus,
      rate_limit_reads: quota.rateLimitReads,
      rate_limit_writes: quota.rateLimitWrites,
    },
    used: {
      unfinished_tasks: used.unfinishedTasks,
      upload_storage: megabytes(used.uploadBytes),
      cpu: used.held.cpuMillis / 1_000,
      memory: used.held.memoryMb,
      gpu: used.held.gpus,
    },
  };
}

export function quotaOf(body: Partial<QuotaBody>): Partial<Quota> {
  const { unfinished_tasks, upload_storage, cpu, memory, gpu, rate_limit_reads, rate_limit_writes } = body;
  return {
    ...(unfinished_tasks === undefined ? {} : { unfinishedTasks: unfinished_tasks }),
    ...(upload_storage === undefined ? {} : { uploadStorageMb: upload_storage }),
    ...(cpu === undefined ? {} : { cpuMillis: cpu === null ? null : Math.round(cpu * 1_000) }),
    ...(memory === undefined ? {} : { memoryMb: memory }),
    ...(gpu === undefined ? {} : { gpus: gpu }),
    ...(rate_limit_reads === undefined ? {} : { rateLimitReads: rate_limit_reads }),
    ...(rate_limit_writes === undefined ? {} : { rateLimitWrites: rate_limit_writes }),
  };
}

function megabytes(bytes: number): number {
  return Math.ceil((bytes / 2 ** 20) * 1_000) / 1_000;
}
