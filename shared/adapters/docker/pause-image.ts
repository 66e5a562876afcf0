// The image of the pause containers: one static program of a few bytes that sleeps for ever. Made here, so that no
// registry and no compiler is needed.

import { pack } from 'tar-stream';
import { AppError } from '../../errors.ts';

export const PAUSE_IMAGE = 'cloudai/pause:local';
export const PAUSE_PATH = '/pause';

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const BASE_ADDRESS = 0x400000n;
/** 64 KiB, the largest page of the machines below. */
const ALIGNMENT = 0x10000n;

interface Machine {
  /** `e_machine` of the ELF header. */
  readonly id: number;
  readonly code: Buffer;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    id: 62,
    // loop: mov eax, 34 (pause); syscall; jmp loop
    code: Buffer.from('b822000000' + '0f05' + 'ebf7', 'hex'),
  },
  arm64: {
    id: 183,
    // This machine has no `pause`; `ppoll` of nothing without a time limit is the same.
    // loop: mov x8, 73 (ppoll); mov x0…x4, 0; svc 0; b loop
    code: words([
      0xd2800928, 0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd4000001, 0x17fffff9,
    ]),
  },
};

function words(instructions: readonly number[]): Buffer {
  const code = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, n) => {
    code.writeUInt32LE(instruction, n * 4);
  });
  return code;
}

export function canPause(arch: string): boolean {
  return arch in MACHINES;
}

/** A complete ELF executable: header, one loadable segment over the whole file, code. */
export function pauseProgram(arch: string): Buffer {
  const machine = MACHINES[arch];
  if (!machine) throw new AppError('bad_config', `network slots do not know machines of the kind "${arch}"`);
  const size = HEADER_BYTES + SEGMENT_BYTES + machine.code.length;
  const file = Buffer.alloc(size);
  file.write('7f454c46020101', 0, 'hex'); // magic, 64 bit, little-endian, version 1
  file.writeUInt16LE(2, 16); // an executable at fixed addresses
  file.writeUInt16LE(machine.id, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BASE_ADDRESS + BigInt(HEADER_BYTES + SEGMENT_BYTES), 24); // entry
  file.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // where the segment table is
  file.writeUInt16LE(HEADER_BYTES, 52);
  file.writeUInt16LE(SEGMENT_BYTES, 54);
  file.writeUInt16LE(1, 56);
  const segment = HEADER_BYTES;
  file.writeUInt32LE(1, segment); // loadable
  file.writeUInt32LE(5, segment + 4); // read and execute
  file.writeBigUInt64LE(BASE_ADDRESS, segment + 16);
  file.writeBigUInt64LE(BASE_ADDRESS, segment + 24);
  file.writeBigUInt64LE(BigInt(size), segment + 32);
  file.writeBigUInt64LE(BigInt(size), segment + 40);
  file.writeBigUInt64LE(ALIGNMENT, segment + 48);
  machine.code.copy(file, HEADER_BYTES + SEGMENT_BYTES);
  return file;
}

/** The file system of the image, as a tar archive. */
export async function pauseArchive(arch: string): Promise<Buffer> {
  const archive = pack();
  const header = { name: PAUSE_PATH.slice(1), mode: 0o755, uid: 0, gid: 0, mtime: new Date(0) };
  // Of a kind of machine without a program it can make containers that are never started, and no others.
  archive.entry(header, canPause(arch) ? pauseProgram(arch) : '');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
