// The words of scripts in the reader's language. The catalogue is a module that the server makes from gettext's files.
const language = document.documentElement.dataset.language ?? "en";
/** @type {Record<string, string>} */
let words = {};
if (language !== "en") words = (await import(`./words.${language}.js`)).default;

/** @param {string} text @param {Record<string, string | number>} values */
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));

/**
 * A text in the reader's language; `%(name)s` stands for a value.
 * @param {string} text
 * @param {Record<string, string | number>} [values]
 */
export const _ = (text, values = {}) => fill(words[text] ?? text, values);

/**
 * One or many: `%(count)s` stands for the number.
 * @param {string} one
 * @param {string} many
 * @param {number} count
 * @param {Record<string, string | number>} [values]
 */
export function ngettext(one, many, count, values = {}) {
  const text = words[one] ?? (count === 1 ? one : many);
  return fill(text, { count: number(count), ...values });
}

const tags = { en: "en", zh: "zh-CN" };
const tag = tags[/** @type {keyof typeof tags} */ (language)] ?? "en";
const formats = { plain: new Intl.NumberFormat(tag), short: new Intl.NumberFormat(tag, { notation: "compact", maximumFractionDigits: 1 }) };

/** A number as the reader writes it. @param {number} value */
export const number = (value) => formats.plain.format(value);
/** A number in little room: 14.8K, 1.5万. @param {number} value */
export const shortNumber = (value) => (value < 10_000 ? formats.plain : formats.short).format(value);
export { language };
