// Entry of the dashboard: names the frame and what every page uses. The one file that does something by being loaded.

import { App } from './app.ts';
import { define } from './elements/define.ts';
import { NoticeBox } from './elements/notice-box.ts';
import { StateBadge } from './elements/state-badge.ts';
import { SvgIcon } from './elements/svg-icon.ts';
import { TimeAgo } from './elements/time-ago.ts';
import { UsageBar } from './elements/usage-bar.ts';
import { SignInPage } from './pages/sign-in/sign-in-page.ts';
import { AppNav } from './shell/app-nav.ts';
import { AskDialog } from './shell/ask-dialog.ts';
import { NewsList } from './shell/news-list.ts';

define({
  'svg-icon': SvgIcon,
  'time-ago': TimeAgo,
  'notice-box': NoticeBox,
  'state-badge': StateBadge,
  'usage-bar': UsageBar,
  'ask-dialog': AskDialog,
  'news-list': NewsList,
  'app-nav': AppNav,
  'sign-in-page': SignInPage,
  // Last: it uses all others.
  'cloudai-app': App,
});
