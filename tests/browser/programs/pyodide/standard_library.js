/** The option fullStdLib of 0.28. */
export const alone = true;

export default async ({ boot, say }) => {
  const pyodide = await boot({ fullStdLib: true, stdout() {}, stderr() {} });
  // Of the modules that 0.28 keeps in packages, this folder has ssl.
  say(Object.keys(pyodide.loadedPackages).sort(), pyodide.runPython("import ssl; ssl.OPENSSL_VERSION"));
};
