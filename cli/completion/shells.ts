// What a shell is told: the script it loads once, and the candidates in the form each script reads. Pure.

import { quoteWord } from '../prompt/split-line.ts';
import type { Candidate } from './complete.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// Each asks `cloudai complete <shell> <line up to the cursor>` and takes one candidate a line. The program is called as
// it was called, so that the one that is used completes itself. What goes wrong is not told: a line that is being typed
// is no place for it.

const BASH = `# Completion of cloudai for bash. Load it: source <(cloudai completion bash)
_cloudai() {
  local one
  COMPREPLY=()
  while IFS= read -r one; do
    COMPREPLY+=("$one")
  done < <("\${1/#\\~/$HOME}" complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
}
complete -o nospace -F _cloudai cloudai
`;

const ZSH = `#compdef cloudai
# Completion of cloudai for zsh. Load it: source <(cloudai completion zsh), after compinit.
_cloudai() {
  local one
  local -a done described going
  while IFS= read -r one; do
    if [[ "$one" == *$'\\t'* ]]; then
      done+=("\${one%%$'\\t'*}")
      described+=("\${one/$'\\t'/  -- }")
    else
      going+=("$one")
    fi
  done < <("\${(Q)words[1]/#\\~/$HOME}" complete zsh "\${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" 2>/dev/null </dev/null)
  (( \${#done} )) && compadd -l -d described -- "\${done[@]}"
  (( \${#going} )) && compadd -S '' -- "\${going[@]}"
}
if [ "$funcstack[1]" = "_cloudai" ]; then _cloudai "$@"; else compdef _cloudai cloudai; fi
`;

const FISH = `# Completion of cloudai for fish. Load it: cloudai completion fish | source
function __cloudai_complete
  set -l line (commandline -cp)
  set -l program (commandline -opc)[1]
  test (string sub -l 2 -- "$program") = "~/"; and set program "$HOME"(string sub -s 2 -- "$program")
  $program complete fish "$line" 2>/dev/null </dev/null
end
complete -c cloudai -f -a '(__cloudai_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/**
 * One a line. bash takes words as they are to stand in the line, and puts each in the place of what comes after the last
 * of its word breaks (`:`, `=` …) in the word at the cursor, `raw`; within quotes that is the whole word, and it closes
 * them itself. The others take plain words, and quote them.
 */
export function shellLines(
  shell: Shell,
  candidates: readonly Candidate[],
  { raw, breaks }: { raw: string; breaks: string },
): string {
  return candidates
    .map(({ value, what, done }) => {
      if (shell !== 'bash') return done || shell === 'fish' ? `${value}\t${what}\n` : `${value}\n`;
      if (/^["']/.test(raw)) return `${value}\n`;
      return `${quoteWord(afterBreak(value, raw, breaks))}${done ? ' ' : ''}\n`;
    })
    .join('');
}

function afterBreak(value: string, raw: string, breaks: string): string {
  const ends = [...breaks].filter((one) => one === ':' || one === '=').map((one) => raw.lastIndexOf(one));
  const typed = raw.slice(0, Math.max(-1, ...ends) + 1);
  return value.startsWith(typed) ? value.slice(typed.length) : value;
}
