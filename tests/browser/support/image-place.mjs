/** A place on the test's server where a page puts an image that it has baked, and where images are then had from. */
import { buffer } from "node:stream/consumers";

export const IMAGE = "/one.image";

/** In the page: starts Python, runs code, and puts its image there. */
export const putImage = async ([path, options, code]) => {
  const python = await start(options);
  await python.run(code);
  await fetch(path, { method: "PUT", body: await python.bake() });
  python.dispose();
};

/** Its handlers for the server; `size` gives the bytes of what has been put there. */
export function imagePlace() {
  let image;
  const answer = async (request, response) => {
    if (request.method === "PUT") image = await buffer(request);
    response.end(image);
  };
  return { handlers: { [IMAGE]: answer }, size: () => image.length };
}
