// An icon of the Lucide set, drawn in the colour of the text. It says nothing to screen readers: the text beside it, or
// the label of its button, does.

import { css, LitElement } from 'lit';
import { createElement, type IconNode } from 'lucide';

export class SvgIcon extends LitElement {
  static override properties = { icon: { attribute: false } };
  declare icon: IconNode | null;

  static override styles = css`
    :host { display: inline-flex; width: 1.125em; height: 1.125em; flex: none; vertical-align: -0.2em; }
    svg { width: 100%; height: 100%; display: block; }
  `;

  constructor() {
    super();
    this.icon = null;
  }

  override render() {
    return this.icon ? createElement(this.icon, { 'aria-hidden': 'true' }) : null;
  }
}
