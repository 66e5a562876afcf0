// What a busy small cluster might be given: training with GPUs, batches, CI, reports. Real programs in a shell, so their
// output, files and measured use are real. Pure but for the dice, which are seeded.

import type { SubmitRequest } from '../../shared/contracts/http.ts';

/** Plain processes have their output folder elsewhere than containers. */
const OUT = `$${'{CLOUDAI_OUTPUT:-/output}'}`;

/** A small picture of a falling curve, as an SVG that the program writes. */
const CURVE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180"><rect width="320" height="180" fill="#fff"/><path d="M20 20 C60 110 120 140 300 156" fill="none" stroke="#2754c5" stroke-width="3"/><path d="M20 160H300M20 160V12" stroke="#8b95a5"/></svg>';

export function training(name: string, seconds: number): SubmitRequest {
  return {
    docker_image: 'pytorch/pytorch:2.4.0',
    name,
    tag: 'training',
    cpu_required: 4,
    memory_required: 12_288,
    gpu_required: 1,
    k_value: 3,
    priority: 6,
    env: { EPOCHS: String(Math.ceil(seconds / 2)), DATASET: 'imagenet-100' },
    command: `printf '\\033[1mresnet50\\033[0m on \\033[36m%s\\033[0m, %s epochs\\n' "$DATASET" "$EPOCHS"
e=0
while [ $e -lt $EPOCHS ]; do
  e=$((e+1))
  timeout 0.7 sh -c 'while :; do :; done'
  printf 'epoch \\033[33m%3d\\033[0m/%s  loss \\033[1m%s\\033[0m  acc %s%%\\n' $e $EPOCHS "$(awk "BEGIN{printf \\"%.4f\\", 2.3*exp(-$e/14)+0.08}")" "$(awk "BEGIN{printf \\"%.1f\\", 96-80*exp(-$e/12)}")"
  [ $((e % 7)) -eq 0 ] && printf '\\033[33mwarning:\\033[0m learning rate lowered to 1e-%d\\n' $((3 + e / 7)) >&2
  echo "::progress $((100*e/EPOCHS)) epoch $e of $EPOCHS"
  sleep 1.3
done
mkdir -p ${OUT}/checkpoints
head -c 400000 /dev/urandom > ${OUT}/checkpoints/last.pt
echo '{"accuracy": 0.958, "loss": 0.0812, "epochs": '$EPOCHS'}' > ${OUT}/metrics.json
printf 'epoch,loss,accuracy\\n1,2.29,0.16\\n2,1.91,0.31\\n3,1.44,0.52\\n4,0.98,0.71\\n' > ${OUT}/history.csv
cat > ${OUT}/loss.svg <<'SVG'
${CURVE}
SVG
printf '\\033[32msaved\\033[0m checkpoints/last.pt\\n'`,
  };
}

function batch(n: number): SubmitRequest {
  return {
    docker_image: 'python:3.12-slim',
    name: `embed-shard-${String(n).padStart(3, '0')}`,
    tag: 'embeddings',
    cpu_required: 2,
    memory_required: 2_048,
    command: `for i in 1 2 3 4 5 6 7 8; do timeout 0.4 sh -c 'while :; do :; done'; echo "shard ${n}: $((i*125)) documents"; sleep ${(1 + (n % 4) * 0.6).toFixed(1)}; done; echo done > ${OUT}/part-${n}.jsonl`,
  };
}

function ci(n: number): SubmitRequest {
  const fails = n % 6 === 5;
  return {
    docker_image: 'node:22-alpine',
    name: `ci-web-${n}`,
    tag: 'ci',
    cpu_required: 1,
    memory_required: 1_024,
    max_retries: 0,
    timeout_seconds: 600,
    command: `echo '> lint'; sleep 1; echo '> test'; sleep 2; ${fails ? "printf '\\033[31m1 test failed\\033[0m\\n' >&2; exit 1" : "printf '\\033[32m128 passed\\033[0m\\n'"}`,
  };
}

function report(n: number): SubmitRequest {
  return {
    docker_image: 'duckdb/duckdb:1.1',
    name: n % 2 === 0 ? 'nightly-report' : 'usage-rollup',
    tag: 'reports',
    cpu_required: 1,
    memory_required: 4_096,
    priority: 4,
    command: `echo 'reading 48 partitions'; sleep 4; echo 'month,total\n2026-10,48211\n2026-11,51904' > ${OUT}/report.csv; echo '2 rows'`,
  };
}

function large(n: number): SubmitRequest {
  return {
    docker_image: 'pytorch/pytorch:2.4.0',
    name: `finetune-llm-${n}`,
    tag: 'training',
    cpu_required: 12,
    memory_required: 49_152,
    gpu_required: 4,
    k_value: 2,
    command: 'for i in $(seq 1 40); do echo "step $((i*25)) loss 1.$((900-i*9))"; sleep 2; done',
  };
}

/** Task `n` of the mix: mostly short work, now and then something that fills a machine. */
export function mixed(n: number): SubmitRequest {
  if (n % 23 === 11) return large(n);
  if (n % 7 === 3) return training(`train-resnet50-s${n}`, 24 + (n % 5) * 8);
  if (n % 5 === 1) return ci(n);
  if (n % 11 === 6) return report(n);
  return batch(n);
}
