// Holds the write lock of a SQLite store until its standard input closes: node hold-store.mjs <file>.
// Plain JavaScript, so that it runs as a process of its own without a build.

import Database from 'libsql';

const database = new Database(process.argv[2], { timeout: 60_000 });
database.exec('BEGIN EXCLUSIVE');
process.stdout.write('held\n');
process.stdin.resume();
process.stdin.once('end', () => {
  database.exec('ROLLBACK');
  database.close();
  process.exit(0);
});
