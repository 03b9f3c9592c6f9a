/** A word without wildcards is looked for anywhere in the id. @param {string} word */
export const asGlob = (word) => (word.trim() && !/[*?[]/.test(word) ? `*${word.trim()}*` : word.trim());
