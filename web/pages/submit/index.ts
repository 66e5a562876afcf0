// What the form for a new task is made of.

import { CopyButton } from '../../elements/copy-button.ts';
import type { Elements } from '../../elements/define.ts';
import { ComboBox } from './combo-box.ts';
import { CommandEditor } from './command-editor.ts';
import { EnvEditor } from './env-editor.ts';
import { FilesPicker } from './files-picker.ts';
import { MountsEditor } from './mounts-editor.ts';
import { PresetList } from './preset-list.ts';
import { SamePanel } from './same-panel.ts';
import { SubmitPage } from './submit-page.ts';
import { TermsEditor } from './terms-editor.ts';
import { VerdictCard } from './verdict-card.ts';

export const elements: Elements = {
  'copy-button': CopyButton,
  'combo-box': ComboBox,
  'command-editor': CommandEditor,
  'env-editor': EnvEditor,
  'files-picker': FilesPicker,
  'mounts-editor': MountsEditor,
  'terms-editor': TermsEditor,
  'preset-list': PresetList,
  'same-panel': SamePanel,
  'verdict-card': VerdictCard,
  'submit-page': SubmitPage,
};
