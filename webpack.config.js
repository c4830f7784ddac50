import { fileURLToPath } from "node:url";
import HtmlWebpackPlugin from "html-webpack-plugin";
import MiniCssExtractPlugin from "mini-css-extract-plugin";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The page in `www/`, which uses the package as anybody would: by its name, through `dist/`. */
export default {
  entry: path("www/src/main.ts"),
  output: {
    path: path("build"),
    filename: "[name].[contenthash].js",
    chunkFilename: "[name].[contenthash].js",
    assetModuleFilename: "[name].[contenthash][ext]",
    clean: true,
  },
  devtool: "source-map",
  resolve: {
    extensions: [".ts", ".js"],
    extensionAlias: { ".js": [".ts", ".js"] },
    alias: { taipan$: path("dist/index.js"), "taipan/view$": path("dist/view.js") },
  },
  module: {
    rules: [
      // Types are checked by `npm run lint`.
      {
        test: /\.ts$/,
        include: path("www"),
        loader: "ts-loader",
        options: {
          configFile: path("tsconfig.www.json"),
          transpileOnly: true,
          compilerOptions: { noEmit: false, sourceMap: true },
        },
      },
      // The package says that its modules have no side effects; a style sheet is nothing else.
      { test: /\.css$/, sideEffects: true, use: [MiniCssExtractPlugin.loader, "css-loader"] },
    ],
  },
  plugins: [
    new HtmlWebpackPlugin({ template: path("www/index.html"), scriptLoading: "module" }),
    new MiniCssExtractPlugin({ filename: "[name].[contenthash].css" }),
  ],
  performance: { hints: false },
  stats: "errors-warnings",
};
