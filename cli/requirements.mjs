/** Lists of names and requirements as they are written on a command line. */

/** With commas between; a comma inside brackets or quotes or before a specifier belongs to the requirement. */
export const names = (texts = []) =>
  [texts]
    .flat()
    .flatMap((text) => text.match(/(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\([^)]*\)|,(?=\s*[<>=!~])|[^,])+/g) ?? [])
    .map((name) => name.trim())
    .filter(Boolean);
