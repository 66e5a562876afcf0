// Cutting text for those who only watch. Must never leave half a character.

/** The start of the text, at most so many UTF-16 units. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}
