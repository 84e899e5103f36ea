// Redoc asks its makers for their logo. Nothing leaves the house: an image from elsewhere counts as
// one that cannot be loaded. React sets the address in either of two ways.
{
  const image = HTMLImageElement.prototype;
  const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
  // What the page itself holds (data:) has no origin.
  const ours = (address) => ["null", location.origin].includes(new URL(address, location.href).origin);
  const load = function load(address) {
    if (ours(address)) set.call(this, address);
    else queueMicrotask(() => this.dispatchEvent(new Event("error")));
  };

  Object.defineProperty(image, "src", { get, set: load, configurable: true });
  image.setAttribute = function setAttribute(name, value) {
    if (name === "src") load.call(this, value);
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
