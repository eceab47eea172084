// Makes static/vendor out of node_modules: the files pages load, their licences, and one sprite of the icons in use.
// Our own scripts are made lean here too. Never runs in a browser, never fetches anything; a manifest names each file's sum.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

const tools = dirname(fileURLToPath(import.meta.url));
const root = join(tools, "..", "..");
const target = join(root, "static", "vendor");

const FILES = {
  "htmx.min.js": ["htmx.org", "dist/htmx.min.js"],
  "hx-sse.min.js": ["htmx.org", "dist/ext/hx-sse.min.js"],
  "dagre.esm.js": ["@dagrejs/dagre", "dist/dagre.esm.js"],
  "uPlot.iife.min.js": ["uplot", "dist/uPlot.iife.min.js"],
  "uPlot.min.css": ["uplot", "dist/uPlot.min.css"],
};
const LICENCES = ["LICENSE", "LICENSE.txt", "LICENSE.md", "license"];

/** @param {string} name */
function packageFolder(name) {
  const folder = join(root, "node_modules", name);
  if (!existsSync(folder)) throw new Error(`${name} is missing; run npm ci --ignore-scripts first`);
  return folder;
}

/** @param {string} name */
function versionOf(name) {
  return JSON.parse(readFileSync(join(packageFolder(name), "package.json"), "utf8")).version;
}

/** @param {string} name */
function licenceOf(name) {
  const folder = packageFolder(name);
  const file = LICENCES.map((one) => join(folder, one)).find(existsSync);
  return file ? readFileSync(file, "utf8") : `${name}: see its package.json`;
}

/** One symbol for each icon, without the attributes that the page's own class sets. */
function sprite() {
  const names = JSON.parse(readFileSync(join(tools, "icons.json"), "utf8"));
  const symbols = names.map((/** @type {string} */ name) => {
    const drawing = readFileSync(join(packageFolder("lucide-static"), "icons", `${name}.svg`), "utf8");
    const inner = drawing.slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.lastIndexOf("</svg>"));
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

/** Our own scripts without comments and blanks, file by file, under the sum of what each was made from. */
function lean() {
  const scripts = join(root, "static", "js");
  for (const path of readdirSync(scripts, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".js")) continue;
    const source = readFileSync(join(scripts, path), "utf8");
    const sum = createHash("sha256").update(source).digest("hex");
    const { code } = transformSync(source, { minify: true, format: "esm", target: "es2022", legalComments: "none" });
    mkdirSync(join(target, "lean"), { recursive: true });
    writeFileSync(join(target, "lean", `${sum}.js`), code);
  }
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
/** @type {Record<string, {package: string, version: string, sha256: string}>} */
const manifest = {};
/** @type {(file: string, name: string, content: string | Buffer) => void} */
const write = (file, name, content) => {
  writeFileSync(join(target, file), content);
  manifest[file] = { package: name, version: versionOf(name), sha256: createHash("sha256").update(content).digest("hex") };
};
for (const [file, [name, path]] of Object.entries(FILES)) {
  // A source map would be asked for by developer tools and is not shipped.
  write(file, name, readFileSync(join(packageFolder(name), path), "utf8").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
}
write("icons.svg", "lucide-static", sprite());
const used = [...new Set([...Object.values(FILES).map(([name]) => name), "lucide-static"])];
const licences = used.map((name) => `${name} ${versionOf(name)}\n\n${licenceOf(name)}`);
writeFileSync(join(target, "LICENCES.txt"), licences.join(`\n\n${"-".repeat(80)}\n\n`));
writeFileSync(join(target, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
lean();
